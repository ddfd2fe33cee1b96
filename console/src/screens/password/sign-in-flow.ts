import { ref, shallowRef } from 'vue'
import { type HeldSession, type Proof, signIn } from '../../api/sign-in'
import { type Call, codeOf, isPassing, toldBy } from '../../session/call'

/** How long the ticket of a refused sign-in lives, and how long we wait when the server does not say. */
const ticketLife = 60_000
const waitDefault = 5000

/** `done` is signed in, on the way to where one wanted to go. */
export type Phase = 'form' | 'limit' | 'done'

/**
 * What came of the last attempt: `wrong` credentials; too many attempts (`wait`); `away`, when the server cannot be asked
 * or cannot say, and nothing is lost; `late`, when the ticket's minute was over; else `refused`, with a code.
 */
export interface Trouble {
  kind: 'wrong' | 'wait' | 'away' | 'late' | 'refused'
  code: string
  request: string
}

/** The sessions of the account that leave no room, and until when one of them may be given up for a new one. */
export interface Choice {
  sessions: HeldSession[]
  until: number
}

interface Deps {
  call: Call
  realm: string
  app: string
  /** Leaves for where one wanted to go; rejects when it cannot be learnt where that is. */
  leave: () => Promise<void>
  now?: () => number
}

/** Signing in with a password, from the form to the door: one attempt at a time. */
export function createSignIn({ call, realm, app, leave, now = Date.now }: Deps) {
  const phase = ref<Phase>('form')
  const busy = ref(false)
  const trouble = shallowRef<Trouble | null>(null)
  /** Milliseconds since 1970; nothing is sent before. */
  const waitUntil = ref(0)
  const choice = shallowRef<Choice | null>(null)
  let ticket = ''

  function startAgain(): void {
    phase.value = 'form'
    choice.value = null
    ticket = ''
  }

  function offer(error: unknown): boolean {
    const told = toldBy(error) as { ticket?: unknown; sessions?: unknown } | null
    if (typeof told?.ticket !== 'string' || !Array.isArray(told.sessions)) return false
    ticket = told.ticket
    // The oldest first: it is the one that is missed least.
    const sessions = [...(told.sessions as HeldSession[])].sort((a, b) => a.started_at - b.started_at)
    choice.value = { sessions, until: now() + ticketLife }
    phase.value = 'limit'
    return true
  }

  function kindOf(error: unknown, code: string): Trouble['kind'] {
    if (code === 'too_many_attempts' || code === 'E_RATE_LIMITED') return 'wait'
    if (code === 'credentials_wrong') return phase.value === 'limit' ? 'late' : 'wrong'
    return isPassing(error) ? 'away' : 'refused'
  }

  function fail(error: unknown): void {
    const code = codeOf(error)
    if (code === 'session_limit' && offer(error)) return
    const kind = kindOf(error, code)
    if (kind === 'wait') waitUntil.value = now() + ((error as { retryAfter?: number }).retryAfter || waitDefault)
    trouble.value = { kind, code, request: toldBy(error)?.request ?? '' }
    if (kind === 'late') startAgain()
  }

  /** Without a proof somebody is signed in already, and only has to go. */
  async function attempt(proof: Proof | null): Promise<void> {
    if (busy.value || (proof && now() < waitUntil.value)) return
    busy.value = true
    trouble.value = null
    try {
      if (proof) await signIn(call, realm, app, proof)
      phase.value = 'done'
      await leave()
    } catch (error) {
      fail(error)
    } finally {
      busy.value = false
    }
  }

  return {
    phase,
    busy,
    trouble,
    waitUntil,
    choice,
    startAgain,
    signIn: (login: string, password: string) => attempt({ login, password }),
    /** Ends one of the sessions in the way, and signs in, with one call. */
    end: (sid: string) => attempt({ ticket, end: sid }),
    /** The minute is over: the ticket would be refused. */
    expire(): void {
      if (phase.value !== 'limit' || busy.value) return
      startAgain()
      trouble.value = { kind: 'late', code: '', request: '' }
    },
    goOn: () => attempt(null),
  }
}
