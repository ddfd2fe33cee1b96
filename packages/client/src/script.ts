import type { AxiosInstance, AxiosStatic } from 'axios'
import { wrapAdapter } from './adapter'
import type { Session } from './types'

export { SessionError } from './error'
export { requireSession } from './loader'
export { createSession } from './session'
export { vueGuard } from './vue-guard'

/** For the script tag: axios is the page's own. */
export function attachAxios(instance: AxiosInstance, session: Session): void {
  wrapAdapter(instance, session, (globalThis as unknown as { axios: AxiosStatic }).axios.getAdapter)
}
