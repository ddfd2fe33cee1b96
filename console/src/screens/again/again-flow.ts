import { ref, shallowRef } from 'vue'
import { endForNew, type HeldSession, signInChoice } from '../../api/sign-in'
import { type Call, codeOf, isPassing, toldBy } from '../../session/call'
import type { Choice, Trouble } from '../password/sign-in-flow'

/** How long the ticket of a refused sign-in lives. The browser keeps it in a cookie that no script sees. */
const ticketLife = 60_000

interface Deps {
  call: Call
  realm: string
  /** Leaves for where one wanted to go. */
  leave: (to: string) => void
  now?: () => number
}

/** Back from a provider, and no room: choosing which session ends. */
export function createAgain({ call, realm, leave, now = Date.now }: Deps) {
  const busy = ref(false)
  const trouble = shallowRef<Trouble | null>(null)
  const choice = shallowRef<Choice | null>(null)
  let app = ''
  let goal = ''

  function offer(sessions: HeldSession[]): void {
    const oldestFirst = [...sessions].sort((a, b) => a.started_at - b.started_at)
    choice.value = { sessions: oldestFirst, until: now() + ticketLife }
  }

  function over(): void {
    choice.value = null
    trouble.value = { kind: 'late', code: '', request: '' }
  }

  function fail(error: unknown): void {
    const code = codeOf(error)
    const told = toldBy(error) as { sessions?: unknown; request?: string } | null
    if (code === 'session_limit' && Array.isArray(told?.sessions)) offer(told.sessions as HeldSession[])
    else if (code === 'credentials_wrong') over()
    else trouble.value = { kind: isPassing(error) ? 'away' : 'refused', code, request: told?.request ?? '' }
  }

  async function attempt(what: () => Promise<void>): Promise<void> {
    if (busy.value) return
    busy.value = true
    trouble.value = null
    try {
      await what()
    } catch (error) {
      fail(error)
    } finally {
      busy.value = false
    }
  }

  return {
    busy,
    trouble,
    choice,
    /** Asks what there is to choose from. */
    load: () =>
      attempt(async () => {
        const offered = await signInChoice(call, realm)
        app = offered.app
        goal = offered.return_to
        offer(offered.sessions)
      }),
    /** Ends one of the sessions in the way, and signs in, with one call. */
    end: (sid: string) =>
      attempt(async () => {
        await endForNew(call, realm, app, sid)
        choice.value = null
        leave(goal)
      }),
    /** The minute is over: the ticket would be refused. */
    expire(): void {
      if (choice.value && !busy.value) over()
    },
    /** None of them is to end. */
    drop(): void {
      choice.value = null
      trouble.value = null
    },
  }
}
