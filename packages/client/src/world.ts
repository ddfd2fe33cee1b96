/** Whether the browser believes that there is a network. */
export const online = () => globalThis.navigator?.onLine !== false

/** A clock that nobody sets. */
export const tick = () => performance.now()

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Half a second, doubled each time, ±20 %, at most half a minute. */
export const backoff = (n: number) => Math.min(500 * 2 ** n, 30_000) * (0.8 + 0.4 * Math.random())

export const ignore = () => {}

/** The browser may forbid storage and channels by throwing. */
export function quietly<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}

/** `work`, or the abort of who called it: others who wait for the same are not affected. */
export const abortable =
  <O extends { signal?: AbortSignal | null | undefined }, T>(work: (options: O) => Promise<T>) =>
  (options = {} as O) =>
    new Promise<T>((resolve, reject) => {
      const { signal } = options
      const over = new AbortController()
      signal?.throwIfAborted()
      signal?.addEventListener('abort', () => reject(signal.reason), over)
      work(options)
        .then(resolve, reject)
        .finally(() => over.abort())
    })
