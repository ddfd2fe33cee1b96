import { useSyncExternalStore } from 'react'
import type { Session, State } from './types'

export { requireSession } from './loader'

/** The session's state; the component is drawn again when it changes. */
export function useSession(session: Session): State {
  const now = () => session.state
  return useSyncExternalStore(session.subscribe, now, now)
}
