const slice = 1_800_000

/**
 * Looks when the page comes to the front or the network comes back; by a timer only when asked for. `due` are the
 * milliseconds until a renewal is.
 */
export function watch(
  page: Window,
  [look, hide, show]: readonly [look: (reason: string) => void, hide: () => void, show: () => void],
  due: (() => number) | false,
): () => void {
  const stop = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined

  function heard({ type }: { type: string }): void {
    clearTimeout(timer)
    if (type === 'pagehide') hide()
    else if (type === 'pageshow') show()
    if (type === 'pagehide' || page.document.visibilityState === 'hidden') return
    look(type)
    // In slices: a long time-out fires at once in some browsers, and none counts while the machine sleeps.
    if (due)
      timer = setTimeout(heard, Math.min(Math.max(due(), 1000), slice) * (1 + Math.random() / 10), { type: 'timer' })
  }

  for (const event of ['focus', 'online', 'pageshow', 'pagehide', 'visibilitychange'])
    page.addEventListener(event, heard, stop)
  heard({ type: '' })
  return () => {
    clearTimeout(timer)
    stop.abort()
  }
}
