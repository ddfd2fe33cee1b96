import type { Answer, Channel, End } from './types'
import { quietly, type World } from './world'

const askFor = 50
const lockFor = 5000

/** What tabs of one origin tell each other. A refresh token is never among it: script has none. */
export interface Message {
  /** Who has a live token of this session ('' = of any)? */
  ask?: string
  /** The result of a renewal, with the clock's offset to the server's. */
  answer?: Answer
  skew?: number
  /** This session ended. */
  out?: string
  end?: End
}

export type Tabs = ReturnType<typeof tabsOf>

/** The other tabs. Without channels or locks, each tab is alone: that costs calls, and never a session. */
export function tabsOf(world: World, hear: (message: Message) => void) {
  const name = `munjigi ${world.url} ${world.realm} ${world.app}`
  let channel: Channel | null | undefined
  const waiting = new Set<() => void>()

  function open(): void {
    channel ??= quietly(() => world.channel?.(name))
    if (!channel) return
    channel.onmessage = ({ data }) => {
      hear(data)
      for (const look of waiting) look()
    }
  }

  function close(): void {
    quietly(() => channel?.close())
    channel = null
  }

  const tell = (message: Message): unknown => quietly(() => channel?.postMessage(message))

  /** Asks for a token, and waits a moment for `satisfied`. */
  async function ask(sid: string, satisfied: () => boolean): Promise<boolean> {
    if (channel && !satisfied())
      await new Promise<void>((resolve) => {
        const look = () => satisfied() && resolve()
        waiting.add(look)
        tell({ ask: sid })
        setTimeout(resolve, askFor)
      })
    waiting.clear() // one flight at a time, so one question
    return satisfied()
  }

  /**
   * Runs `work` while no other tab does. Who has to wait for the turn gets false, and should look what the other one
   * has brought; `insist` runs the work nevertheless, after a while even without the lock.
   */
  async function alone(work: () => Promise<void>, insist?: boolean): Promise<boolean> {
    if (!world.locks) return work().then(() => true)
    let begun = false
    const turn = async () => {
      begun = true
      await work()
      return true
    }
    const stop = new AbortController()
    const timer = setTimeout(() => stop.abort(), lockFor)
    try {
      if (insist) return await world.locks.request(name, { signal: stop.signal }, turn)
      if (await world.locks.request(name, { ifAvailable: true }, (lock) => lock && turn())) return true
      return await world.locks.request(name, { signal: stop.signal }, () => false)
    } catch (error) {
      if (begun) throw error
      return insist ? turn() : false
    } finally {
      clearTimeout(timer)
    }
  }

  return { open, close, tell, ask, alone }
}
