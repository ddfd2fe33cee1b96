import { useI18n } from 'vue-i18n'
import { codeOf } from '../session/call'
import { usePlace } from '../session/use-place'

/** The sentence for people that an error stands for. */
export function useMessages() {
  const { t, te } = useI18n()
  const { members } = usePlace()

  /** The sentence of a code of the closed list, or null: text of unknown origin is never shown as ours. */
  function sentenceOf(code: string): string | null {
    if (!/^[a-z_]+$/.test(code)) return null
    // Members have no company account that could be meant.
    const key = members && te(`member.${code}`) ? `member.${code}` : `code.${code}`
    return te(key) ? t(key) : null
  }

  function messageOf(error: unknown): string {
    const code = codeOf(error)
    if (te(`local.${code}`)) return t(`local.${code}`)
    return sentenceOf(code) ?? t('code.internal')
  }

  return { sentenceOf, messageOf }
}
