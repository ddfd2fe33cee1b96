import type { Session } from '@munjigi/client'

/** How often a visible page asks whether its session still lives, and how often it looks whether to try again. */
export const lookEvery = 10_000
export const retryEvery = 500

/** Asks the server whether the session still lives; one that is out of reach is tried again when its pause is over. */
export async function look(session: Session): Promise<void> {
  if (session.state.status === 'anonymous') return
  if (session.state.error) await session.renew().catch(() => {})
  else await session.ready({ verify: true })
}

/**
 * Looks at once when the page comes to the front or the network comes or goes, and every ten seconds while it is visible;
 * a hidden page asks nothing. Returns a stop.
 */
export function watchSession(session: Session, page: Document = document): () => void {
  const view = page.defaultView as Window
  let timer: ReturnType<typeof setTimeout> | undefined
  let stopped = false

  function schedule(): void {
    clearTimeout(timer)
    const { status, error } = session.state
    if (stopped || page.visibilityState === 'hidden' || status === 'anonymous') return
    timer = setTimeout(turn, error ? retryEvery : lookEvery)
  }

  async function turn(): Promise<void> {
    if (page.visibilityState !== 'hidden') await look(session).catch(() => {})
    schedule()
  }

  const unsubscribe = session.subscribe(schedule)
  const events = ['focus', 'online', 'offline', 'pageshow'] as const
  page.addEventListener('visibilitychange', turn)
  for (const event of events) view.addEventListener(event, turn)
  schedule()
  return () => {
    stopped = true
    clearTimeout(timer)
    unsubscribe()
    page.removeEventListener('visibilitychange', turn)
    for (const event of events) view.removeEventListener(event, turn)
  }
}
