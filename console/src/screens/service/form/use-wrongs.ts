import { useI18n } from 'vue-i18n'
import type { Wrongs } from '../../../backoffice/errors'
import type { Wrong } from '../../../backoffice/fill'

/** What is wrong with fields, in the page's language; a service speaks for itself. */
export function useWrongs() {
  const { t } = useI18n()

  function sentenceOf({ code, limit = '' }: Wrong): string {
    return t(`wrong.${code}`, { limit })
  }

  function sentences(local: Record<string, Wrong>, remote: Wrongs): Wrongs {
    const mine = Object.entries(local).map(([pointer, wrong]) => [pointer, sentenceOf(wrong)] as const)
    const theirs = Object.entries(remote).map(([pointer, said]) => [pointer, said || t('wrong.other')] as const)
    return Object.fromEntries([...theirs, ...mine])
  }
  return { sentences }
}
