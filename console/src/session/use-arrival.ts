import type { Session } from '@munjigi/client'
import { useEventListener } from '@vueuse/core'
import { onMounted } from 'vue'
import { usePlace } from './use-place'

/** Which session the browser holds, told without a call by the hint cookie; '' = none. */
export function hintedSession(cookies: string, realm: string): string {
  const name = `munjigi-${realm}-hint=`
  const pair = cookies.split(/; */).find((text) => text.startsWith(name)) ?? ''
  return pair.slice(name.length).split('.')[0] ?? ''
}

/**
 * Who comes to a sign-in page signed in goes on at once, and so does who signs in elsewhere in this browser meanwhile.
 * A reason is to be read: with one, only a newer sign-in leads on. The server is asked in any case: it knows how the last
 * session ended.
 */
export function useArrival(session: Session, arrival: { hasReason: () => boolean; goOn: () => unknown }): void {
  const { realm } = usePlace()
  const arrivedWith = hintedSession(document.cookie, realm)
  async function enter(): Promise<void> {
    const { status } = await session.ready()
    const stays = arrival.hasReason() && hintedSession(document.cookie, realm) === arrivedWith
    if (status === 'active' && !stays) await arrival.goOn()
  }
  onMounted(enter)
  useEventListener(window, 'focus', enter)
}
