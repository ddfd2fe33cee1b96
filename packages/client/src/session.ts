import { emitter } from './emitter'
import { type Problem, SessionError } from './error'
import { watch } from './lifecycle'
import { backoff, networkOf, type Reply } from './network'
import { fetchOf } from './request'
import { type Message, tabsOf } from './tabs'
import type { Answer, Config, End, Job, RenewOptions, Session, SignIn, State, Status } from './types'
import { ignore, orAbort, quietly, tick } from './world'

const early = 30_000 // renewed ahead of time when less is left, or a third of the lifetime
const fresh = 5000 // a token younger than this that is refused would be refused again
const jump = 2000 // a clock further off than this has been set; `Date` is in whole seconds

/** An access token, for all services of the app or for one; `got` is by the steady clock. */
type Token = Answer & { got: number }

/** What a renewal is for: `than` is the token that is good no more. */
type Want = { [K in Exclude<keyof RenewOptions, 'signal'>]?: RenewOptions[K] | undefined } & {
  than?: Token | undefined
}

const blank = (status: Status, end: End | null = null): State => ({
  status,
  account: null,
  session: null,
  end,
  error: null,
})

/** Milliseconds before its end at which a token is renewed. */
const margin = (token: Token | undefined) =>
  token ? Math.min(early, ((token.expires_at - token.issued_at) * 1000) / 3) : 0

/** The one session of this page: see README.md. Nothing is asked before something needs it. */
export function createSession(config: Config): Session {
  const { app, realm } = config
  if (!config.url || !app || !realm) throw new SessionError('E_CONFIG')
  const page = globalThis.window as Window | undefined // none on a server: nothing is touched there
  const here = page?.location
  const url = new URL(config.url, here?.href)
  const base = url.href.replace(/\/$/, '')
  const { hint = here?.hostname === url.hostname, origins = [url.origin, here?.origin] } = config
  const send = config.fetch ?? fetch
  const storageKey = `munjigi-${realm}-sign-out`

  let state = blank('unknown')
  const tokens = new Map<string | undefined, Token>()
  let flight: (Want & { done: Promise<void> }) | undefined
  let epoch = 0 // a result of an earlier one comes too late
  let failures = 0
  let retryAt = 0
  let skew = 0 // the server's clock minus ours
  let ended: string | null | undefined // the sid of the session that ended here last
  let unsent: string | null | undefined // the sid of one whose sign-out did not reach the server
  const [on, emit, listeners] = emitter()
  const [tell, others, alone, open, close] = tabsOf(`munjigi ${base} ${realm} ${app}`, hear)
  const [ask, insist] = networkOf(base, app, send)

  function change(next: Partial<State>): void {
    state = { ...state, ...next }
    emit('state', state)
  }

  const own = () => tokens.get(undefined)
  const left = (token: Token | undefined) => (token ? token.expires_at * 1000 - Date.now() - skew : 0)
  const sidOf = () => state.session?.id

  /** The sid of the hint cookie: null = there is no session, undefined = the page cannot see the cookie. */
  const hinted = () =>
    page?.document.cookie.split(`munjigi-${realm}-hint=`)[1]?.split('.')[0] ?? (hint ? null : undefined)

  /** Whether there is a session, or one may be there that this page does not know to be over. */
  function possible(): boolean {
    const sid = hinted()
    return !!sidOf() || (sid === undefined ? state.status !== 'anonymous' : sid !== null && sid !== ended)
  }

  /** Whether nobody is signed in, as far as can be known without a call. */
  function nobody(): boolean {
    if (state.status === 'disposed') throw new SessionError('E_DISPOSED')
    const none = !possible()
    if (none) end({ code: 'session_missing' })
    return none
  }

  // ---- what is learnt ----

  function commit(answer: Answer, service?: string): void {
    const { session, account } = answer
    const { session: old, error } = state
    const other = old?.id !== session.id
    if (old && other) forget()
    tokens.set(service, { ...answer, got: tick() })
    failures = retryAt = 0
    change({ status: 'active', account, session, end: null, error: null })
    if (other) emit(old ? 'changed' : 'signed-in', state)
    if (error) emit('recovered', state)
  }

  function forget(): void {
    epoch++
    tokens.clear()
  }

  /** The session is over. Nothing ended for somebody who just arrived. */
  function end(problem: Problem, heard?: boolean): void {
    if (/^[ad].*s/.test(state.status)) return
    const { code: reason, replaced_by: replacedBy, replaced_at: replacedAt } = problem
    const sid = sidOf()
    const why = sid || reason !== 'session_missing' ? { reason, replacedBy, replacedAt } : null
    ended = sid ?? hinted()
    forget()
    change(blank('anonymous', why))
    if (why) emit('signed-out', why)
    if (sid && !heard) tell({ out: sid, end: problem })
  }

  function hear({ ask, answer, skew: offset, out, end: why }: Message): void {
    const sid = sidOf()
    const token = own()
    if (answer) {
      const { id, generation } = answer.session
      const old = id === sid && (state.session?.generation as number) > generation
      if (old || id === ended || (hinted() ?? id) !== id) return
      skew = offset as number
      commit(answer)
    } else if (out) {
      if (out === sid) end(why as Problem, true)
    } else if (token && left(token) > margin(token) && (ask || sid) === sid) tell({ answer: token, skew })
  }

  // ---- renewing ----

  async function fly({ service, maxCheckAge, than, force }: Want): Promise<void> {
    const begun = epoch
    const shared = !force && !service && maxCheckAge === undefined
    // One that looks expired is not bad: after a jump of the clock the same one may come back.
    const bad = left(than) > 0 && than?.access_token
    const satisfied = () => shared && left(own()) > 0 && own()?.access_token !== bad
    const call = async () => {
      const body = JSON.stringify({ app, service, max_check_age: maxCheckAge })
      if (!satisfied()) take(await insist('/session', { method: 'POST', body }), begun, service)
    }
    await finishSignOut()
    // Who had to wait for another tab asks once more: it has what we want by then.
    for (
      let n = 0;
      !(shared && (await others(sidOf() ?? hinted() ?? '', satisfied, n))) && !(await alone(call, n));
      n++
    );
  }

  function take([body, date]: Reply, begun: number, service?: string): void {
    // A 200 that is not ours (a captive portal) must not be taken for an answer.
    const answer = body as Answer | undefined
    if (!answer?.access_token || !answer.expires_at || !answer.session?.id) throw new SessionError('E_BAD_RESPONSE')
    // Somebody signed out or in meanwhile.
    if (begun !== epoch) throw new SessionError('E_SESSION_CHANGED')
    const offset = date ? date - Date.now() - skew : 0
    skew += Math.abs(offset) > jump ? offset : offset / 4
    commit(answer, service)
    if (!service) tell({ answer, skew })
  }

  /** Only a 401 with one of the session's codes ends it. */
  function fail(error: SessionError, begun: number): never {
    const { code, status, retryAfter } = error
    if (begun === epoch) {
      if (status === 401 && /^session_/.test(code)) end(error.problem as Problem)
      else {
        retryAt = tick() + Math.max(backoff(failures++), retryAfter)
        if (!state.error) emit('unreachable', error)
        change({ status: 'unreachable', error })
      }
    }
    throw error
  }

  /** Renews, or joins the renewal in flight. */
  async function refresh(want: Want): Promise<void> {
    if (flight) {
      const { service, maxCheckAge, done } = flight
      if (service === want.service && maxCheckAge === want.maxCheckAge) return done
      return done.catch(ignore).then(() => refresh(want))
    }
    if (nobody()) throw new SessionError('session_missing', { status: 401 })
    if (state.error && tick() < retryAt && !want.force) throw state.error
    const begun = epoch
    change({ status: 'renewing' })
    const done = fly(want)
      .catch((error) => fail(error, begun))
      // Its own: no other takes off before.
      .finally(() => {
        flight = undefined
      })
    flight = { ...want, done }
    return done
  }

  /** A token to send now; undefined = nobody is signed in, and that is known without a call. */
  async function bearer(service?: string, least = 0): Promise<Token | undefined> {
    const than = tokens.get(service)
    const rest = left(than)
    if (rest <= least) {
      if (nobody()) return undefined
      await refresh({ service, than })
    } else if (rest <= margin(than) && !flight) refresh({ service, than }).catch(ignore)
    return tokens.get(service)
  }

  // ---- requests ----

  async function run<T>(job: Job<T>): Promise<T> {
    const { service, replayable } = job
    const before = sidOf()
    const used = await bearer(service, replayable ? 0 : early)
    same(before)
    const sid = sidOf()
    const result = await job.send(used?.access_token)
    const problem = used && (await job.problem(result))
    if (!problem) return result
    if (/^session_/.test(problem.code) && sid === sidOf()) end(problem)
    const want = { service: service ?? problem.service, maxCheckAge: problem.max_check_age, than: used }
    if (!mends(problem.code, want, service)) return result
    const now = tokens.get(want.service)
    const renewal = now === used || left(now) <= 0 ? refresh(want) : undefined
    if (!replayable) {
      renewal?.catch(ignore)
      emit('not-replayable', new SessionError('E_NOT_REPLAYABLE', { status: 401, problem }))
      return result
    }
    job.drop(result)
    await renewal
    same(sid)
    return job.send(tokens.get(want.service)?.access_token)
  }

  const carry = <T>(job: Job<T>) => orAbort(job.signal, () => run(job))

  /** Never sends one person's request as another: the session has to be the one that it was made in. */
  function same(sid: string | undefined): void {
    if (sid && sidOf() !== sid) throw new SessionError('E_SESSION_CHANGED')
  }

  /** Whether a renewal may help a request that was refused with `code`. Honest tokens are invalid when their key was retired. */
  const mends = (code: string, { service, than }: Want, asked?: string) =>
    code === 'token_stale_check' ||
    (code === 'token_wrong_audience' && service !== asked) ||
    (/^token_(expired|missing|invalid)$/.test(code) && tick() - (than as Token).got >= fresh)

  // ---- signing in and out ----

  async function signIn(how: SignIn): Promise<State> {
    const path = `/sign-in/${realm}`
    const { returnTo, legacyToken, ...proof } = how as Record<string, string>
    if (returnTo) {
      here?.assign(`${config.login ?? base + path}?${new URLSearchParams({ app, return_to: returnTo })}`)
      return state
    }
    const reply = await ask(path, {
      method: 'POST',
      body: JSON.stringify({ app, legacy_token: legacyToken, ...proof }),
    })
    remember(null) // a sign-in ends the session whose cookie it brings
    take(reply, ++epoch) // the result of a renewal in flight is not ours any more
    return state
  }

  function remember(sid: string | null | undefined): void {
    unsent = sid
    quietly(() => (sid ? localStorage.setItem(storageKey, sid) : localStorage.removeItem(storageKey)))
  }

  async function leave(query = ''): Promise<void> {
    await ask(`/session${query}`, { method: 'DELETE' })
    remember(null)
  }

  /** A sign-out that has not reached the server comes before everything else. */
  async function finishSignOut(): Promise<void> {
    const sid = unsent ?? quietly(() => localStorage.getItem(storageKey))
    if (sid && (hinted() ?? sid) === sid) await leave()
    else if (sid) remember(null)
  }

  async function signOut({ everywhere }: { everywhere?: boolean } = {}): Promise<void> {
    remember(sidOf() ?? hinted())
    end({ code: 'session_signed_out' })
    await leave(everywhere ? '?everywhere=true' : '')
  }

  // ---- the page ----

  function look(reason?: string): void {
    if (unsent) finishSignOut().catch(ignore)
    if (state.status === 'unknown' || !possible()) return
    const than = own()
    const sid = hinted()
    const another = sid !== undefined && sid !== sidOf()
    if (reason === 'online') retryAt = 0
    if (another) tokens.clear()
    if (state.error || another || left(than) <= margin(than)) refresh({ than }).catch(ignore)
  }

  const unwatch = page && watch(page, config.keepAlive, [look, open, close])

  function covers(text: string): boolean {
    const it = quietly(() => new URL(text, here?.href))
    const at = it && it.origin + it.pathname
    return !!it && origins.includes(it.origin) && at !== `${base}/session` && !at?.startsWith(`${base}/sign-in`)
  }

  return {
    get state() {
      return state
    },
    carry,
    covers,
    ready: ({ verify, signal } = {}) =>
      orAbort(signal, async () => {
        const begun = epoch
        if (left(own()) <= 0 && !nobody()) await refresh({}).catch(ignore)
        else if (verify) await ask('/session').catch((error) => quietly(() => fail(error, begun)))
        return state
      }),
    renew: ({ signal, ...want } = {}) =>
      orAbort(signal, async () => {
        await refresh({ ...want, than: tokens.get(want.service) })
        return state
      }),
    getToken: ({ minValidity = 0, service, signal } = {}) =>
      orAbort(signal, async () => (await bearer(service, minValidity * 1000))?.access_token ?? null),
    signIn,
    signOut,
    subscribe: (listener) => on('state', listener),
    on,
    dispose() {
      forget()
      unwatch?.()
      close()
      listeners.clear()
      state = blank('disposed')
    },
    fetch: fetchOf(send, covers, carry, (header) =>
      [...tokens.values()].some(({ access_token: text }) => header.endsWith(text)),
    ),
  }
}
