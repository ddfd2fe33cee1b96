import { useI18n } from 'vue-i18n'
import { CallError } from '../session/errors'

/** The sentence for people that an error stands for. */
export function useMessages() {
  const { t, te } = useI18n()

  /** The sentence of a code of the closed list, or null: text of unknown origin is never shown as ours. */
  function sentenceOf(code: string): string | null {
    return /^[a-z_]+$/.test(code) && te(`code.${code}`) ? t(`code.${code}`) : null
  }

  function messageOf(error: unknown): string {
    const code = error instanceof CallError ? error.code : 'internal'
    if (te(`local.${code}`)) return t(`local.${code}`)
    return sentenceOf(code) ?? t('code.internal')
  }

  return { sentenceOf, messageOf }
}
