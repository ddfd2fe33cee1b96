import type { Session } from '@munjigi/client'
import { isPassing } from './call'

const pause = 5000

/**
 * Signs out: here at once, and at the server. One that does not answer is told again until it has heard, also after
 * this page has shown the sign-in page; a reload goes on where this left off. Resolves to whether it has heard by now.
 */
export async function signOut(session: Session, options: { everywhere?: boolean } = {}): Promise<boolean> {
  try {
    await session.signOut(options)
    return true
  } catch (error) {
    if (!isPassing(error)) throw error
    setTimeout(again, pause)
    return false
  }

  function again(): void {
    // Whoever signed in meanwhile stays: the sign-in has ended the session that was to be left.
    if (session.state.status === 'anonymous') void signOut(session, options).catch(() => {})
  }
}
