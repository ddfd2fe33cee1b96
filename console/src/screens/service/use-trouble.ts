import { useI18n } from 'vue-i18n'
import { mayPass, ServiceError } from '../../backoffice/trouble'
import type { IconName } from '../../parts/icons'
import { useMessages } from '../../parts/use-messages'

/** What to say of an error of a service. `words` are the service's own, to be shown as such. */
export interface Trouble {
  icon: IconName
  title: string
  text: string
  words: string
  request: string
  again: boolean
}

const byStatus: Record<number, string> = {
  401: 'trouble.s401',
  403: 'trouble.s403',
  404: 'trouble.s404',
  409: 'trouble.s409',
  412: 'trouble.s412',
  413: 'trouble.s413',
  422: 'trouble.s422',
  429: 'trouble.s429',
}

/** Says in plain words what went wrong, and whose words are whose. */
export function useTrouble() {
  const { t } = useI18n()
  const { messageOf, sentenceOf } = useMessages()

  function sentenceFor(error: ServiceError, service: string): string {
    if (error.code === 'S_HTML') return t('trouble.html', { service })
    if (error.code === 'S_NOT_DATA') return t('trouble.notData', { service })
    if (error.code === 'S_SHAPE') return t('trouble.shape', { service })
    if (error.code === 'S_FAILED') return t('trouble.failed', { service })
    if (error.code === 'S_MASKED') return t('trouble.masked')
    const own = error.byService ? null : sentenceOf(error.code)
    if (own) return own
    const key = byStatus[error.status] ?? (error.status >= 500 ? 'trouble.s500' : 'trouble.s400')
    return t(key, { service })
  }

  function titleFor(error: ServiceError, service: string): string {
    if (error.status === 403) return t('state.forbiddenTitle')
    if (error.status === 404) return t('trouble.goneTitle')
    return error.status >= 500 ? t('trouble.downTitle', { service }) : t('state.errorTitle')
  }

  return function troubleOf(error: unknown, service: string): Trouble {
    if (!(error instanceof ServiceError)) {
      const icon = mayPass(error) ? 'cloud' : 'warning'
      return { icon, title: t('state.errorTitle'), text: messageOf(error), words: '', request: '', again: true }
    }
    const icon = error.status === 403 ? 'lock' : error.status >= 500 ? 'cloud' : 'warning'
    return {
      icon,
      title: titleFor(error, service),
      text: sentenceFor(error, service),
      words: error.byService ? error.words : '',
      request: error.request,
      again: error.status !== 403,
    }
  }
}
