import type { World } from './world'

const slice = 1_800_000

interface Watched {
  /** Looks whether the session is still the same, and renews what is due. */
  look(reason: string): void
  hide(): void
  show(): void
  /** Milliseconds until a renewal is due. */
  due(): number
}

/** Looks when the page comes to the front or the network comes back; by a timer only when asked for. Returns a stop. */
export function watch(world: World, watched: Watched): () => void {
  const { page } = world
  const stop = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined

  function heard({ type }: { type: string }): void {
    clearTimeout(timer)
    if (type === 'pagehide') watched.hide()
    if (type === 'pageshow') watched.show()
    if (type === 'pagehide' || page?.document.visibilityState === 'hidden') return
    if (type) watched.look(type)
    if (world.keepAlive !== 'visible') return
    // In slices: a long time-out fires at once in some browsers, and none counts while the machine sleeps.
    const wait = Math.min(Math.max(watched.due(), 1000), slice) * (1 + world.random() / 10)
    timer = setTimeout(heard, wait, { type: 'timer' })
  }

  for (const event of ['focus', 'online', 'pageshow', 'pagehide', 'visibilitychange'])
    page?.addEventListener(event, heard, stop)
  if (page) heard({ type: '' })
  return () => {
    clearTimeout(timer)
    stop.abort()
  }
}
