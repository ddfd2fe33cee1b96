const poll = 5000

/** Looks when the page comes to the front or the network comes back; by a timer only when asked for. Returns a stop. */
export function watch(
  page: Window,
  keepAlive: unknown,
  [look, open, close]: readonly [look: (reason?: string) => void, open: () => void, close: () => void],
): () => void {
  const stop = new AbortController()

  function heard({ type }: { type?: string }): void {
    if (type === 'pagehide') close()
    else {
      open()
      if (!page.document.hidden) look(type)
    }
  }

  for (const event of ['focus', 'online', 'pageshow', 'pagehide', 'visibilitychange'])
    page.addEventListener(event, heard, stop)
  heard({})
  // Looks often instead of once at the right time: a long time-out fires at once in some browsers, and none counts while
  // the machine sleeps. Tabs opened together do not look together.
  const timer = keepAlive ? setInterval(heard, poll * (1 + Math.random() / 10), {}) : undefined
  return () => {
    clearInterval(timer)
    stop.abort()
  }
}
