import { type AxiosInstance, getAdapter } from 'axios'
import { wrapAdapter } from './adapter'
import type { Session } from './types'

/** Sends every request of this instance with the session's token, as `session.fetch` does. */
export function attachAxios(instance: AxiosInstance, session: Session): void {
  wrapAdapter(instance, session, getAdapter)
}
