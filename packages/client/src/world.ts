import type { Config } from './types'

/** What the client touches outside of itself. */
export type World = ReturnType<typeof worldOf>

/** Fills in the browser's own for what was not given. Without a window (a server, a worker) nothing is touched. */
export function worldOf(config: Config) {
  const page = typeof window === 'undefined' ? null : window
  const url = new URL(config.url, page?.location.href)
  return {
    now: Date.now,
    random: Math.random,
    online: () => page?.navigator.onLine !== false,
    cookies: () => page?.document.cookie ?? '',
    storage: quietly(() => page?.localStorage) ?? null,
    locks: page?.navigator.locks ?? null,
    channel: page?.BroadcastChannel ? (name: string) => new BroadcastChannel(name) : null,
    navigate: (to: string) => page?.location.assign(to),
    hint: page?.location.hostname === url.hostname,
    attempt: 10_000,
    limit: 12_000,
    origins: page ? [page.location.origin, url.origin] : [url.origin],
    ...config,
    fetch: config.fetch ?? ((...args: Parameters<typeof fetch>) => fetch(...args)),
    url: url.href.replace(/\/$/, ''),
    page,
  }
}

/** The browser may forbid storage and channels by throwing. */
export function quietly<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}

/** A clock that nobody sets. */
export const tick = () => performance.now()

/** `work`, or the caller's own abort: others who wait for the same are not affected. */
export function orAbort<T>(work: Promise<T>, signal: AbortSignal | null | undefined): Promise<T> {
  if (!signal) return work
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
