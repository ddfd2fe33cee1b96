import { useI18n } from 'vue-i18n'
import { toldBy } from '../session/call'

/** What is wrong with each field, by its name. */
export function useFieldErrors() {
  const { t } = useI18n()

  function errorsOf(error: unknown): Record<string, string> {
    const list = toldBy(error)?.errors ?? []
    return Object.fromEntries(list.map(({ pointer, detail }) => [pointer.replace(/^\//, ''), textOf(pointer, detail)]))
  }

  // Why a password is refused the server says for people, in their language; of other fields it speaks to developers.
  function textOf(pointer: string, detail: string): string {
    if (pointer === '/password' || pointer === '/new') return detail
    return pointer === '/email' ? t('wrong.email') : t('wrong.other')
  }
  return { errorsOf }
}
