import type { Session } from './session'

/** How often a visible page asks whether its session still lives. */
export const lookEvery = 10_000

/**
 * Looks at once when the page comes to the front or the network comes or goes, and every ten seconds while it is visible;
 * a hidden page asks nothing. While the server is out of reach the session's own waiting time counts. Returns a stop.
 */
export function watchSession(session: Session, page: Document = document): () => void {
  const view = page.defaultView as Window
  let timer: ReturnType<typeof setTimeout> | undefined
  let stopped = false

  function schedule(): void {
    clearTimeout(timer)
    const idle = page.visibilityState === 'hidden' || session.state().status === 'anonymous'
    if (stopped || idle) return
    timer = setTimeout(look, session.state().trouble ? Math.max(session.waitLeft(), 250) : lookEvery)
  }

  async function look(): Promise<void> {
    if (page.visibilityState !== 'hidden') await session.look()
    schedule()
  }

  const unsubscribe = session.subscribe(schedule)
  const events = ['focus', 'online', 'offline', 'pageshow'] as const
  page.addEventListener('visibilitychange', look)
  for (const event of events) view.addEventListener(event, look)
  schedule()
  return () => {
    stopped = true
    clearTimeout(timer)
    unsubscribe()
    page.removeEventListener('visibilitychange', look)
    for (const event of events) view.removeEventListener(event, look)
  }
}
