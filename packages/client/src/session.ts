import { type Problem, SessionError } from './error'
import { alone, type Message } from './tabs'
import type { Answer, Config, Events, Job, Session, State } from './types'
import { abortable, backoff, ignore, online, pause, quietly, tick } from './world'

const limit = 10_000 // for all attempts of a call together
const patience = 300_000 // as long as we believe a server that asks us to wait
const early = 30_000 // renewed ahead of time when less is left, or a third of the lifetime
const fresh = 5000 // a token younger than this that is refused would be refused again
const jump = 2000 // a clock further off than this has been set; `Date` is in whole seconds

/** An access token, for all services of the app or for one; `got` is by the steady clock. */
type Token = Answer & { got: number }

const blank: State = { status: 'unknown', account: null, session: null, end: null, error: null }

/** The one session of this page: see README.md. Nothing is asked before something needs it. */
export function createSession(config: Config): Session {
  const { app, realm, fetch: send = fetch } = config
  if (!config.url || !app || !realm) throw new SessionError('E_CONFIG')
  const page = globalThis.window as Window | undefined // none on a server: nothing is touched there
  const here = page?.location
  const url = new URL(config.url, here?.href)
  const base = url.href.replace(/\/$/, '')
  const { hint = here?.hostname === url.hostname, origins = [url.origin, here?.origin] } = config
  const prefix = `munjigi-${realm}-`

  let state = blank
  // By service. Another map for another session: by it a renewal knows that it comes too late.
  let tokens = new Map<string | undefined, Token>()
  let flight: Promise<void> | undefined
  let bound: string | undefined // what the flight is for
  let failures = 0
  let retryAt = 0
  let skew = 0 // the server's clock minus ours
  let ended: string | undefined // the sid of the session that ended here last
  let unsent: string | undefined // the sid of one whose sign-out did not reach the server
  let channel: BroadcastChannel | null | undefined
  const listeners = new Set<(event: unknown, detail: unknown) => void>()
  const stop = new AbortController()
  const name = prefix + [base, app] // of what the tabs share

  // ---- the way to Munjigi ----

  /**
   * Asks, and rejects with a SessionError for everything but a 2xx that is Munjigi's. If there are `more` attempts, they are for
   * what another may mend: no connection, and a proxy without its server.
   */
  async function ask(method: string, path: string, question?: object, more = 0): Promise<Answer> {
    const signal = AbortSignal.timeout(limit)
    for (; ; more--) {
      let response = Response.error() // no answer
      let cause: unknown
      try {
        if (online())
          response = await send(base + path, {
            method,
            body: question && JSON.stringify({ app, ...question }),
            signal,
            headers: { 'Content-Type': 'application/json', 'Munjigi-App': app },
            credentials: 'include',
            redirect: 'error',
            cache: 'no-store',
            keepalive: true, // so that the new cookie lands even when the page goes meanwhile
          } as RequestInit)
      } catch (error) {
        cause = error
      }
      const { ok, status, headers } = response
      const body = (await response.json().catch(ignore)) as (Answer & Problem) | undefined
      const date = Date.parse(headers.get('Date') as string)
      // A 200 that is not ours (a captive portal) must not be taken for an answer.
      if (ok && !signal.aborted && (!question || (body?.access_token && body.session?.id))) {
        const offset = date - Date.now() - skew || 0
        skew += Math.abs(offset) > jump ? offset : offset / 4
        return body as Answer
      }
      const after = headers.get('Retry-After') as string
      const asked = +after * 1000 || Date.parse(after) - (date || Date.now()) || 0
      const retryAfter = Math.max(0, Math.min(asked, patience))
      const code = signal.aborted
        ? 'E_TIMEOUT'
        : !status
          ? online()
            ? 'E_NETWORK'
            : 'E_OFFLINE'
          : status === 429
            ? 'E_RATE_LIMITED'
            : status > 499
              ? 'E_SERVER'
              : (!ok && body?.code) || 'E_BAD_RESPONSE'
      const again = code === 'E_NETWORK' || (status > 501 && status < 505 && !retryAfter)
      if (!more || !again) throw new SessionError(code, { status, problem: body || null, retryAfter, cause })
      await pause(backoff(2 - more))
    }
  }

  // ---- telling ----

  function on(event: string, listener: (detail: never) => void): () => void {
    const one = (it: unknown, detail: unknown) => it === event && listener(detail as never)
    listeners.add(one)
    return () => listeners.delete(one)
  }

  /** Tells listeners after the change, each by itself: none can hold up or break the session. */
  function emit(event: string | false | null | undefined, detail: unknown): void {
    for (const one of listeners) queueMicrotask(() => listeners.has(one) && one(event, detail))
  }

  /** Tells the other tabs. */
  const tell = (message: Message) => quietly(() => channel?.postMessage(message))

  const close = () => {
    channel?.close()
    channel = null
  }

  function change(next: Partial<State>, event?: keyof Events | false | null, detail?: unknown): void {
    state = { ...state, ...next }
    emit('state', state)
    emit(event, detail ?? state)
  }

  /** The token for all services, or for one, when it has more than `least` milliseconds left. */
  const live = (service?: string, least = 0) => {
    const token = tokens.get(service)
    return token && token.expires_at * 1000 - Date.now() - skew > least ? token : undefined
  }
  /** Whether it is time to renew. */
  const late = (service?: string) => {
    const token = tokens.get(service)
    return !token || !live(service, Math.min(early, ((token.expires_at - token.issued_at) * 1000) / 3))
  }
  const sidOf = () => state.session?.id

  /** The sid of the hint cookie: '' = there is no session, undefined = the page cannot see the cookie. */
  const hinted = () => page?.document.cookie.match(`${prefix}hint=([^.;]*)`)?.[1] ?? (hint ? '' : undefined)

  /** Whether nobody is signed in, as far as can be known without a call. */
  function nobody(): boolean {
    if (state.status === 'disposed') throw new SessionError('E_DISPOSED')
    const sid = hinted() ?? state.status !== 'anonymous'
    const none = !sidOf() && (!sid || sid === ended)
    if (none) end({ code: 'session_missing' })
    return none
  }

  // ---- what is learnt ----

  /** `heard` from another tab. */
  function commit(answer: Answer, heard?: boolean, service?: string): void {
    const { session, account } = answer
    const { session: old, error } = state
    const other = old?.id !== session.id
    if (old && other) tokens = new Map()
    tokens.set(service, { ...answer, got: tick() })
    failures = 0
    change({ ...blank, status: 'active', session, account }, other && (old ? 'changed' : 'signed-in'))
    emit(error && 'recovered', state)
    if (!service && !heard) tell({ answer, skew })
  }

  /** The session is over, for other tabs as well. Nothing ended for somebody who just arrived. */
  function end(problem: Problem): void {
    if (/^(an|d)/.test(state.status)) return // anonymous, disposed
    const sid = sidOf()
    const why =
      sid || problem.code !== 'session_missing'
        ? { reason: problem.code, replacedBy: problem.replaced_by, replacedAt: problem.replaced_at }
        : null
    ended = sid ?? hinted()
    tokens = new Map()
    change({ ...blank, status: 'anonymous', end: why }, why && 'signed-out', why)
    if (sid) tell({ sid, why: problem })
  }

  function hear({ data: { answer, skew: offset, sid, why } }: MessageEvent<Message>): void {
    const mine = sidOf()
    if (answer) {
      const { id, generation } = answer.session
      const old = id === mine && (state.session?.generation as number) > generation
      if (old || id === ended || (hinted() || id) !== id) return
      skew = offset as number
      commit(answer, true)
    } else if (why) {
      if (sid === mine) end(why)
    } else if (!late() && (sid ?? mine) === mine) tell({ answer: live() as Token, skew })
  }

  // ---- renewing ----

  /** Never sends one person's request as another: the session has to be the one that it was made in. */
  function same(before: unknown, now: unknown = sidOf()): void {
    if (before && before !== now) throw new SessionError('E_SESSION_CHANGED')
  }

  /** Only a 401 with one of the session's codes ends it. */
  function fail(error: SessionError, begun: unknown): void {
    if (begun !== tokens) return
    if (error.status === 401 && /^session_/.test(error.code)) end(error.problem as Problem)
    else {
      retryAt = tick() + Math.max(backoff(failures++), error.retryAfter)
      change({ status: 'unreachable', error }, !state.error && 'unreachable', error)
    }
  }

  /**
   * Renews, or joins the renewal in flight. `bad` is a token that is good no more; one that looks expired is not bad: after a
   * jump of the clock the same one may come back.
   */
  async function refresh(
    service?: string,
    maxCheckAge?: number,
    force?: boolean,
    bad = live(service)?.access_token,
  ): Promise<void> {
    const key = `${[service, maxCheckAge]}`
    if (flight)
      return bound === key ? flight : flight.catch(ignore).then(() => refresh(service, maxCheckAge, force, bad))
    if (nobody()) throw new SessionError('session_missing', { status: 401 })
    if (state.error && tick() < retryAt && !force) throw state.error
    const begun = tokens
    change({ status: 'renewing' })
    const shared = !force && key === ','
    const satisfied = () => shared && (live()?.access_token ?? bad) !== bad
    const call = async () => {
      if (satisfied()) return undefined
      const answer = await ask('POST', '/session', { service, max_check_age: maxCheckAge }, 2)
      same(begun, tokens) // or somebody signed out or in meanwhile
      commit(answer, false, service)
      return true
    }
    const fly = async () => {
      try {
        await finishSignOut()
        let turn = 0
        do {
          if (shared) tell({ sid: sidOf() })
          // A moment, or a second for a tab that is at it: what it tells may take longer than its lock.
          const until = tick() + (turn ? 1000 : 50)
          while (shared && channel && tick() < until && !satisfied()) await pause(5)
        } while (!satisfied() && !(await alone(name, call, turn++ > 4)))
      } catch (error) {
        fail(error as SessionError, begun)
        throw error
      } finally {
        flight = undefined // its own: no other takes off before
      }
    }
    bound = key
    flight = fly()
    return flight
  }

  /** A token to send now; undefined = nobody is signed in, and that is known without a call. */
  async function bearer(service?: string, least?: number): Promise<Token | undefined> {
    if (!live(service, least)) {
      if (!nobody()) await refresh(service)
    } else if (!flight && late(service)) refresh(service).catch(ignore)
    return tokens.get(service)
  }

  // ---- requests ----

  async function run<T>(job: Job<T>): Promise<T> {
    const { service, replayable } = job
    let sid = sidOf()
    const used = await bearer(service, replayable ? 0 : early)
    same(sid)
    sid = sidOf()
    const result = await job.send(used?.access_token)
    const problem = used && (await job.problem(result))
    if (!problem) return result
    if (/^session_/.test(problem.code) && sid === sidOf()) end(problem)
    const wanted = service ?? problem.service
    // Honest tokens are invalid when their key was retired.
    const old = tick() - used.got >= fresh
    const mends: Record<string, boolean> = {
      token_stale_check: true,
      token_wrong_audience: wanted !== service,
      token_expired: old,
      token_missing: old,
      token_invalid: old,
    }
    if (mends[problem.code] !== true) return result
    const renewal = (live(wanted) ?? used) === used ? refresh(wanted, problem.max_check_age) : undefined
    if (!replayable) {
      renewal?.catch(ignore)
      emit('not-replayable', new SessionError('E_NOT_REPLAYABLE', { status: 401, problem }))
      return result
    }
    // Lets go of an answer that nobody will read.
    ;(result as Partial<Response>).body?.cancel().catch(ignore)
    await renewal
    same(sid)
    return job.send(tokens.get(wanted)?.access_token)
  }

  const carry = abortable(run) as Session['carry']

  // ---- signing in and out ----

  const remember = (sid?: string) => {
    unsent = sid
    quietly(() => (sid ? localStorage.setItem(`${prefix}sign-out`, sid) : localStorage.removeItem(`${prefix}sign-out`)))
  }

  const leave = (everywhere: boolean) => ask('DELETE', `/session?everywhere=${everywhere}`).then(() => remember())

  /** A sign-out that has not reached the server comes before everything else. */
  async function finishSignOut(): Promise<void> {
    const sid = unsent ?? quietly(() => localStorage.getItem(`${prefix}sign-out`))
    if (sid) await ((hinted() || sid) === sid ? leave(false) : remember())
  }

  // ---- the page ----

  /** Looks when the page comes to the front or the network comes back. */
  function look({ type }: { type?: string }) {
    if (type === 'pagehide') return close()
    channel ??= quietly(() => Object.assign(new BroadcastChannel(name), { onmessage: hear }))
    if (page?.document.hidden) return
    if (unsent) finishSignOut().catch(ignore)
    if (state.status === 'unknown' || nobody()) return
    const sid = sidOf()
    const another = (hinted() ?? sid) !== sid
    if (type === 'online') retryAt = 0
    if (another) tokens.clear() // a renewal in flight is not too late
    if (state.error || another || late()) refresh().catch(ignore)
  }

  if (page) {
    for (const event of ['focus', 'online', 'pageshow', 'pagehide', 'visibilitychange'])
      page.addEventListener(event, look, stop)
    look({})
  }
  // Looks often instead of once at the right time: a long time-out fires at once in some browsers, and none counts while
  // the machine sleeps. Tabs opened together do not look together.
  const timer = page && config.keepAlive && setInterval(look, backoff(3), {})

  const covers = (text: string) =>
    !!quietly(() => {
      const { origin, pathname } = new URL(text, here?.href)
      return origins.includes(origin) && !/^\/(session$|sign-in)/.test((origin + pathname).replace(base, ''))
    })

  return {
    get state() {
      return state
    },
    carry,
    covers,
    ready: abortable(async ({ verify }) => {
      const begun = tokens
      if (!live()) await (nobody() || refresh().catch(ignore))
      else if (verify) await ask('GET', '/session').catch((error) => fail(error, begun))
      return state
    }),
    renew: abortable(async ({ service, maxCheckAge, force }) => {
      await refresh(service, maxCheckAge, force)
      return state
    }),
    getToken: abortable(
      async ({ minValidity = 0, service }) => (await bearer(service, minValidity * 1000))?.access_token ?? null,
    ),
    async signIn(how) {
      const path = `/sign-in/${realm}`
      const { returnTo, legacyToken, ...proof } = how as Record<string, string>
      if (returnTo) here?.assign(`${config.login ?? base + path}?${new URLSearchParams({ app, return_to: returnTo })}`)
      else {
        const answer = await ask('POST', path, { legacy_token: legacyToken, ...proof })
        remember() // a sign-in ends the session whose cookie it brings
        tokens = new Map() // the result of a renewal in flight is not ours any more
        commit(answer)
      }
      return state
    },
    async signOut({ everywhere = false } = {}) {
      remember(sidOf() ?? hinted())
      end({ code: 'session_signed_out' })
      await leave(everywhere)
    },
    subscribe: (listener) => on('state', listener),
    on,
    dispose() {
      tokens = new Map()
      clearInterval(timer as never)
      stop.abort()
      close()
      listeners.clear()
      change({ ...blank, status: 'disposed' })
    },
    /** To the listed addresses alone, and not over a caller's own Authorization. */
    async fetch(input, init = {}) {
      if (init.session === false) return send(input, init)
      const request = new Request(input, init)
      const own = request.headers.get('Authorization')
      const theirs = own && ![...tokens.values()].some((token) => own.endsWith(token.access_token))
      if (theirs || !covers(request.url)) return send(request)

      const replayable = !(init.body instanceof ReadableStream)
      return carry({
        service: init.service,
        signal: request.signal,
        replayable,
        send(token) {
          const copy = replayable ? request.clone() : request
          copy.headers.delete('Authorization')
          if (token) copy.headers.set('Authorization', `Bearer ${token}`)
          return send(copy)
        },
        problem: async (response) => (response.status === 401 ? response.clone().json().catch(ignore) : null),
      })
    },
  }
}
