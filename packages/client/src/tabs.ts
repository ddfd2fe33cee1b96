import type { Problem } from './error'
import type { Answer } from './types'
import { pause, quietly } from './world'

const step = 5
const lockFor = 4000

/** What tabs of one origin tell each other. A refresh token is never among it: script has none. */
export interface Message {
  /** Who has a live token of this session ('' = of any)? */
  ask?: string
  /** The result of a renewal, with the clock's offset to the server's. */
  answer?: Answer
  skew?: number
  /** This session ended, and why. */
  out?: string
  end?: Problem
}

/** The other tabs. Without channels or locks, each tab is alone: that costs calls, and never a session. */
export function tabsOf(name: string, hear: (message: Message) => void) {
  let channel: BroadcastChannel | null | undefined

  function open(): void {
    channel ??= quietly(() => new BroadcastChannel(name))
    if (channel) channel.onmessage = ({ data }) => hear(data)
  }

  function close(): void {
    channel?.close()
    channel = null
  }

  const tell = (message: Message) => quietly(() => channel?.postMessage(message))

  /**
   * Asks for a token, and waits for `satisfied`: a moment, or a second for a tab that has just renewed, since what it tells
   * may take longer than its lock.
   */
  async function others(ask: string, satisfied: () => boolean, renewed: number): Promise<boolean> {
    if (!satisfied()) tell({ ask })
    for (let n = renewed ? 200 : 10; channel && !satisfied() && n; n--) await pause(step)
    return satisfied()
  }

  /**
   * Runs `work` while no other tab does. Who has to wait for the turn gets false, and should look what the other one
   * has brought; `insist` runs the work nevertheless, after a while even without the lock.
   */
  async function alone(work: () => Promise<unknown>, insist: number): Promise<unknown> {
    let begun = false
    const turn = async () => {
      begun = true
      await work()
      return true
    }
    const request = (options: LockOptions, then: (lock: unknown) => unknown) =>
      navigator.locks.request(name, options, then)
    const wait = { signal: AbortSignal.timeout(lockFor) }
    try {
      return insist
        ? await request(wait, turn)
        : (await request({ ifAvailable: true }, (lock) => lock && turn())) || (await request(wait, () => false))
    } catch (error) {
      if (begun) throw error
      return (insist || !globalThis.navigator?.locks) && turn()
    }
  }

  return [tell, others, alone, open, close] as const
}
