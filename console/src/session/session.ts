import { CallError, noAnswer, problemOf } from './errors'
import { readHint } from './hint'
import type { Renewed, State, Who } from './types'

const app = 'console'
const timeout = 10_000
const renewEarly = 30_000
const waitFirst = 500
const waitMost = 30_000

/** What the session touches of the world; the zero value of each is the browser's own. */
export interface Config {
  fetch?: typeof fetch
  cookies?: () => string
  online?: () => boolean
  now?: () => number
  /** The console's realm, once known: so that a hint of another realm's session is not taken for ours. */
  realm?: () => string | null
}

export interface CallInit {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  body?: unknown
  signal?: AbortSignal
}

/** One call to the server, with the access token, renewed as needed. Rejects with a CallError. */
export type Call = <T>(path: string, init?: CallInit) => Promise<T>

/** The one session of this page. */
export type Session = ReturnType<typeof createSession>

/**
 * Holds the access token (in memory only) and everything that decides about it: exactly one renewal at a time, which
 * all callers join; a call is repeated once after a renewal; only a 401 with one of the session's codes signs out.
 */
export function createSession(config: Config = {}) {
  const send = config.fetch ?? ((...args: Parameters<typeof fetch>) => fetch(...args))
  const cookies = config.cookies ?? (() => document.cookie)
  const online = config.online ?? (() => navigator.onLine)
  const now = config.now ?? Date.now

  let state: State = { status: 'unknown', account: null, live: null, checkedAt: null, end: null, trouble: null }
  let token: { text: string; expiresAt: number; early: number } | null = null
  let flight: Promise<void> | null = null
  let looking: Promise<void> | null = null
  let endedSid: string | null = null
  let failures = 0
  let retryAt = 0
  let skew = 0 // the server's clock minus ours: lifetimes are told in its time
  const listeners = new Set<(state: State) => void>()

  function hinted(): string | null {
    return readHint(cookies(), state.account?.realm ?? config.realm?.() ?? null)?.sid ?? null
  }

  function change(next: Partial<State>): void {
    state = { ...state, ...next }
    for (const listener of listeners) listener(state)
  }

  async function request(path: string, init: RequestInit): Promise<Response> {
    if (!online()) throw noAnswer(null, false)
    const limit = AbortSignal.timeout(timeout)
    const signal = init.signal ? AbortSignal.any([init.signal, limit]) : limit
    const headers = { Accept: 'application/json', 'Munjigi-App': app, ...init.headers }
    try {
      const response = await send(path, { redirect: 'error', cache: 'no-store', ...init, headers, signal })
      const date = Date.parse(response.headers.get('Date') ?? '')
      if (date) skew = date - now()
      return response
    } catch (cause) {
      init.signal?.throwIfAborted()
      throw noAnswer(cause, online())
    }
  }

  function end(error: CallError): void {
    token = null
    endedSid = hinted()
    const { replaced_at: replacedAt, replaced_by: replacedBy } = error.problem ?? {}
    // Nothing ended when there was nothing: no reason is shown to somebody who just arrived.
    const arrived = state.live === null && error.code === 'session_missing'
    const why = arrived ? null : { code: error.code, replacedAt, replacedBy }
    change({ status: 'anonymous', account: null, live: null, checkedAt: null, trouble: null, end: why })
  }

  function failed(error: CallError): CallError {
    const wait = Math.min(waitFirst * 2 ** failures, waitMost)
    failures += 1
    retryAt = now() + Math.max(wait, error.retryAfter)
    if (state.status !== 'anonymous') change({ status: 'unreachable', trouble: error })
    return error
  }

  function reached(next: Partial<State>): void {
    failures = 0
    retryAt = 0
    change({ status: 'active', trouble: null, end: null, ...next })
  }

  async function attempt(): Promise<void> {
    const response = await request('/session', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ app }),
      credentials: 'same-origin',
      keepalive: true, // so that the new cookie lands even when the page goes meanwhile
    })
    if (!response.ok) throw await problemOf(response)
    const answer: unknown = await response.json().catch(() => null)
    if (!isRenewed(answer)) throw new CallError('E_BAD_RESPONSE', 0)
    const expiresAt = answer.expires_at * 1000
    const early = Math.min(renewEarly, (expiresAt - answer.issued_at * 1000) / 3)
    token = { text: answer.access_token, expiresAt, early }
    const same = state.live?.id === answer.session.id
    reached({ account: answer.account, live: answer.session, checkedAt: same ? state.checkedAt : null })
  }

  async function settle(error: unknown): Promise<never> {
    if (!(error instanceof CallError)) throw error
    if (error.final) end(error)
    else if (error.transient) failed(error)
    throw error
  }

  /** Renews, or joins the renewal in flight. A failure is shared for a while, unless `force`. */
  function renew(options: { force?: boolean } = {}): Promise<void> {
    if (flight) return flight
    if (state.trouble && now() < retryAt && !options.force) return Promise.reject(state.trouble)
    flight = attempt()
      .catch(settle)
      .finally(() => {
        flight = null
      })
    return flight
  }

  function leftOf(): number {
    return token ? token.expiresAt - now() - skew : 0
  }

  async function bearer(): Promise<string> {
    if (leftOf() <= 0) await renew()
    if (!token) throw new CallError('session_missing', 401)
    return token.text
  }

  async function once(path: string, init: CallInit, text: string | null): Promise<Response> {
    const headers: Record<string, string> = {}
    if (text) headers.Authorization = `Bearer ${text}`
    if (init.method && init.method !== 'GET') headers['Content-Type'] = 'application/json'
    const body = init.body === undefined ? null : JSON.stringify(init.body)
    // With a token the cookie stays at home: one call, one proof of who calls.
    const credentials = text ? 'omit' : 'same-origin'
    const signal = init.signal ?? null
    const response = await request(path, { method: init.method ?? 'GET', headers, body, credentials, signal })
    if (!response.ok) throw await problemOf(response)
    return response
  }

  async function replay(path: string, init: CallInit, used: string, sid: string | undefined): Promise<Response> {
    if (token?.text === used) await renew()
    const text = await bearer()
    // Somebody else may have signed in in another tab: never send one person's call as another.
    if (state.live?.id !== sid) throw new CallError('E_SESSION_CHANGED', 0)
    return once(path, init, text)
  }

  const call: Call = async (path, init = {}) => {
    const used = await bearer()
    const sid = state.live?.id
    const response = await once(path, init, used)
      .catch((error) =>
        error instanceof CallError && error.renewable ? replay(path, init, used, sid) : Promise.reject(error),
      )
      .catch((error) => {
        // A late answer about an older session must not end a newer one.
        if (error instanceof CallError && error.final && state.live?.id === sid) end(error)
        if (error instanceof CallError && error.status === 0 && error.transient && error !== state.trouble)
          failed(error)
        throw error
      })
    if (response.status === 204) return undefined as never
    return response.json().catch((cause: unknown) => {
      throw new CallError('E_BAD_RESPONSE', 0, null, cause)
    })
  }

  /** A call that needs no session, such as the ways to sign in. */
  const openCall: Call = async (path, init = {}) => (await once(path, init, null)).json()

  async function ask(): Promise<void> {
    const sid = hinted()
    if (sid && state.live && sid !== state.live.id) token = null // another tab signed in anew: renew adopts it
    if (token && leftOf() < token.early) await renew()
    const who = await call<Who>('/session')
    reached({ account: who.account, live: who.session, checkedAt: who.checked_at ?? null })
  }

  /** Asks the server whether the session still lives, and renews ahead of time. Never rejects: see the state. */
  function look(options: { force?: boolean } = {}): Promise<void> {
    if (state.status === 'anonymous') return Promise.resolve()
    if (state.trouble && now() < retryAt && !options.force) return Promise.resolve()
    retryAt = 0
    looking ??= ask()
      .catch((error) => {
        // What the renewal or the call already counted is not counted again.
        if (error instanceof CallError && error.transient && retryAt === 0) failed(error)
      })
      .finally(() => {
        looking = null
      })
    return looking
  }

  /** For guards: whether somebody is signed in, with at most one call; with none when no new session is hinted at. */
  async function ready(): Promise<State> {
    if (state.status === 'active' || state.status === 'unreachable') return state
    const sid = hinted()
    if (sid && sid !== endedSid) await renew().catch(() => {})
    else if (state.status === 'unknown') change({ status: 'anonymous' })
    return state
  }

  /** Signs out at the server first: a sign-out that did not arrive is said so, not pretended. */
  async function signOut(options: { everywhere?: boolean } = {}): Promise<void> {
    const path = options.everywhere ? '/session?everywhere=true' : '/session'
    await once(path, { method: 'DELETE' }, null)
    end(new CallError('session_signed_out', 401))
  }

  return {
    call,
    openCall,
    renew,
    look,
    ready,
    signOut,
    hinted,
    state: () => state,
    /** Milliseconds until the next attempt makes sense; 0 = now. */
    waitLeft: () => Math.max(0, retryAt - now()),
    subscribe(listener: (state: State) => void): () => void {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

// A 200 that is not ours (a captive portal) must not be taken for an answer.
function isRenewed(answer: unknown): answer is Renewed {
  const it = answer as Partial<Renewed> | null
  return typeof it?.access_token === 'string' && typeof it.expires_at === 'number' && Array.isArray(it.account?.roles)
}
