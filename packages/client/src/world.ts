import type { Problem } from './error'

/** Whether the browser believes that there is a network. */
export const online = () => globalThis.navigator?.onLine !== false

/** A clock that nobody sets. */
export const tick = () => performance.now()

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
export function orAbort<T>(work: Promise<T>, signal: AbortSignal | null | undefined): Promise<T> {
  if (!signal) return work
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort)
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** What is in a response, or undefined when it is no JSON. */
export const bodyOf = (response: Response): Promise<unknown> => response.json().catch(ignore)

/** The problem that a body is, if it is one of ours. */
export function asProblem(body: unknown): Problem | null {
  const it = body as Problem | null | undefined
  return typeof it?.code === 'string' ? it : null
}
