import { type Problem, SessionError } from './error'
import type { Answer } from './types'

/** What tabs of one origin tell each other. A refresh token is never among it: script has none. */
export interface Message {
  /** The result of a renewal, with the clock's offset to the server's. */
  answer?: Answer
  skew?: number
  /** This session ended, and why; without a reason: who has a live token of it (undefined = of any)? */
  sid?: string | undefined
  why?: Problem
}

/** Runs `work` unless another tab is at it: then false. Without locks, or when it insists, it works nevertheless. */
export async function alone<T>(name: string, work: () => Promise<T>, insist: boolean): Promise<T | false> {
  try {
    return await navigator.locks.request(name, { ifAvailable: true }, (lock) => (lock || insist) && work())
  } catch (error) {
    if (error instanceof SessionError) throw error // it has worked, in vain
    return work()
  }
}
