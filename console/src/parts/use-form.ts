import { computed, ref, shallowRef } from 'vue'
import { useI18n } from 'vue-i18n'
import { codeOf, isPassing, toldBy } from '../session/call'
import { useCountdown } from './use-countdown'
import { useFieldErrors } from './use-field-errors'
import { useMessages } from './use-messages'

/**
 * One form that is sent to the server: busy, done, what is wrong as a whole and field by field. What was typed stays
 * whatever comes of it; after too many attempts nothing is sent until the wait is over.
 */
export function useForm<T>(perform: (input: T) => Promise<unknown>, own: Record<string, string> = {}) {
  const { t } = useI18n()
  const { sentenceOf } = useMessages()
  const { errorsOf } = useFieldErrors()
  const busy = ref(false)
  const done = ref(false)
  const error = shallowRef<unknown>(null)
  const waitUntil = ref(0)
  const waiting = useCountdown(waitUntil)

  const fields = computed(() => errorsOf(error.value))
  /** A sentence about the whole; '' when the fields say all, or nothing is wrong. */
  const trouble = computed(() => {
    if (!error.value || Object.keys(fields.value).length > 0) return ''
    const code = codeOf(error.value)
    const mine = own[code]
    if (mine) return t(mine)
    if (waitUntil.value) return waiting.value > 0 ? t('password.wait') : t('password.waitOver')
    if (code === 'E_OFFLINE') return t('password.offline')
    if (isPassing(error.value)) return t('password.away')
    return sentenceOf(code) ?? t('code.internal')
  })

  async function send(input: T): Promise<boolean> {
    if (busy.value || waiting.value > 0) return false
    busy.value = true
    error.value = null
    waitUntil.value = 0
    try {
      await perform(input)
      done.value = true
    } catch (cause) {
      const { status, retryAfter } = cause as { status?: number; retryAfter?: number }
      if (status === 429) waitUntil.value = Date.now() + (retryAfter || 5000)
      error.value = cause
    } finally {
      busy.value = false
    }
    return done.value
  }

  return {
    busy,
    done,
    error,
    fields,
    trouble,
    waiting,
    request: computed(() => toldBy(error.value)?.request ?? ''),
    send,
  }
}
