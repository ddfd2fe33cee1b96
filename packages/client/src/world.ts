/** Whether the browser believes that there is a network. */
export const online = () => globalThis.navigator?.onLine !== false

/** A clock that nobody sets. */
export const tick = () => performance.now()

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

export const ignore = () => {}

/** The browser may forbid storage and channels by throwing. */
export function quietly<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}

/** `work`, or the caller's own abort: others who wait for the same are not affected. */
export async function orAbort<T>(signal: AbortSignal | null | undefined, work: () => Promise<T>): Promise<T> {
  if (!signal) return work()
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort)
    work()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort))
  })
}

/** What is in a response, or undefined when it is no JSON. */
export const bodyOf = (response: Response): Promise<unknown> => response.json().catch(ignore)
