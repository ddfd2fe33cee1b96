import { emitter } from './emitter'
import { type Problem, SessionError } from './error'
import { watch } from './lifecycle'
import { ask, backoff, insist, type Reply } from './network'
import { fetchOf } from './request'
import { type Message, tabsOf } from './tabs'
import type { Answer, Config, End, Job, RenewOptions, Session, SignIn, State, Status } from './types'
import { orAbort, quietly, tick, worldOf } from './world'

const early = 30_000 // renewed ahead of time when less is left, or a third of the lifetime
const fresh = 5000 // a token younger than this that is refused would be refused again
const jump = 2000 // a clock further off than this has been set; `Date` is in whole seconds

/** An access token, for all services of the app or for one. Times are milliseconds; `got` is by the steady clock. */
interface Token {
  text: string
  expiresAt: number
  margin: number
  got: number
}

/** What a renewal is for: `than` is the token that is good no more. */
type Want = Omit<RenewOptions, 'signal' | 'service'> & { service?: string | undefined; than?: Token | undefined }

const ignore = () => {}
const blank = (status: Status, end: End | null = null): State => ({
  status,
  account: null,
  session: null,
  end,
  error: null,
})

/** The one session of this page: see README.md. Nothing is asked before something needs it. */
export function createSession(config: Config): Session {
  if (!config.url || !config.app || !config.realm) throw new SessionError('E_CONFIG')
  const world = worldOf(config)
  const { app, realm } = world
  const storageKey = `munjigi-${realm}-sign-out`
  const hintPattern = new RegExp(`(?:^|; *)munjigi-${realm}-hint=([^.;]+)\\.`)

  let state = blank('unknown')
  const tokens = new Map<string, Token>()
  let answer: Answer | undefined // the last one, for other tabs
  let flight: { want: Want; done: Promise<void> } | undefined
  let epoch = 0 // a result of an earlier one comes too late
  let failures = 0
  let retryAt = 0
  let skew = 0 // the server's clock minus ours
  let ended: string | null | undefined // the sid of the session that ended here last
  let unsent: string | null | undefined // the sid of one whose sign-out did not reach the server
  const { on, emit, clear } = emitter()
  const tabs = tabsOf(world, hear)

  function change(next: Partial<State>): void {
    state = { ...state, ...next }
    emit('state', state)
  }

  const tokenOf = (service = '') => tokens.get(service)
  const left = (token: Token | undefined) => (token ? token.expiresAt - world.now() - skew : 0)
  const sidOf = () => state.session?.id

  /** The sid of the hint cookie: null = there is no session, undefined = the page cannot see the cookie. */
  const hinted = () => hintPattern.exec(world.cookies())?.[1] ?? (world.hint ? null : undefined)

  /** Whether there is a session, or one may be there that this page does not know to be over. */
  function possible(): boolean {
    const sid = hinted()
    return !!sidOf() || (sid === undefined ? state.status !== 'anonymous' : sid !== null && sid !== ended)
  }

  // ---- what is learnt ----

  function commit(next: Answer, service = ''): void {
    const { session, account } = next
    const { session: old, error } = state
    const other = old?.id !== session.id
    if (old && other) forget()
    const expiresAt = next.expires_at * 1000
    const margin = Math.min(early, (expiresAt - next.issued_at * 1000) / 3)
    tokens.set(service, { text: next.access_token, expiresAt, margin, got: tick() })
    if (!service) answer = next
    failures = retryAt = 0
    change({ status: 'active', account, session, end: null, error: null })
    if (other) emit(old ? 'changed' : 'signed-in', state)
    if (error) emit('recovered', state)
  }

  function forget(): void {
    epoch++
    tokens.clear()
    answer = undefined
  }

  /** The session is over. Nothing ended for somebody who just arrived. */
  function finish(reason: End): void {
    if (state.status === 'anonymous' || state.status === 'disposed') return
    const sid = sidOf()
    const why = sid || reason.reason !== 'session_missing' ? reason : null
    ended = sid ?? hinted()
    forget()
    change(blank('anonymous', why))
    if (why) emit('signed-out', why)
  }

  function end({ code, problem }: { code: string; problem?: Problem | null }): void {
    const out = sidOf()
    const why = { reason: code, replacedBy: problem?.replaced_by, replacedAt: problem?.replaced_at }
    finish(why)
    if (out) tabs.tell({ out, end: why })
  }

  function hear({ ask, answer: other, skew: offset, out, end }: Message): void {
    const sid = sidOf()
    const token = tokenOf()
    if (other) {
      const { id, generation } = other.session
      const old = id === sid && (state.session?.generation as number) > generation
      if (old || id === ended || (hinted() ?? id) !== id || state.status === 'disposed') return
      skew = offset as number
      commit(other)
    } else if (out) {
      if (out === sid) finish(end as End)
    } else if (token && left(token) > token.margin && (ask || sid) === sid)
      tabs.tell({ answer: answer as Answer, skew })
  }

  // ---- renewing ----

  async function fly(want: Want): Promise<void> {
    const { service, maxCheckAge, than, force } = want
    const begun = epoch
    const shared = !force && !service && maxCheckAge === undefined
    const satisfied = () => shared && left(tokenOf()) > 0 && tokenOf()?.text !== than?.text
    const others = async () => shared && tabs.ask(sidOf() ?? hinted() ?? '', satisfied)
    const call = async () => {
      const body = JSON.stringify({ app, service, max_check_age: maxCheckAge })
      if (!satisfied()) take(await insist(world, '/session', { method: 'POST', body }), begun, service)
    }
    await finishSignOut()
    // Who had to wait for another tab asks once more: it has what we want by then.
    if ((await others()) || (await tabs.alone(call)) || (await others())) return
    await tabs.alone(call, true)
  }

  function take({ body, date }: Reply, begun: number, service?: string): void {
    // A 200 that is not ours (a captive portal) must not be taken for an answer.
    const it = body as Answer | null
    if (!it?.access_token || !it.expires_at || !it.session?.id) throw new SessionError('E_BAD_RESPONSE')
    // Somebody signed out or in meanwhile.
    if (begun !== epoch) throw new SessionError('E_SESSION_CHANGED')
    const offset = date ? date - world.now() - skew : 0
    skew += Math.abs(offset) > jump ? offset : offset / 4
    commit(it, service)
    if (!service) tabs.tell({ answer: it, skew })
  }

  /** Only a 401 with one of the session's codes ends it. */
  function fail(error: SessionError, begun: number): never {
    const { code, status, retryAfter } = error
    if (begun !== epoch) throw error
    if (status === 401 && /^session_/.test(code)) end(error)
    else {
      retryAt = tick() + Math.max(backoff(world, failures++), retryAfter)
      const news = !state.error
      change({ status: 'unreachable', error })
      if (news) emit('unreachable', error)
    }
    throw error
  }

  /** Renews, or joins the renewal in flight. */
  async function refresh(want: Want): Promise<void> {
    if (state.status === 'disposed') throw new SessionError('E_DISPOSED')
    if (flight) {
      const { want: other, done } = flight
      if (other.service === want.service && other.maxCheckAge === want.maxCheckAge) return done
      return done.catch(ignore).then(() => refresh(want))
    }
    if (state.error && tick() < retryAt && !want.force) throw state.error
    if (!possible()) {
      const error = new SessionError('session_missing', { status: 401 })
      end(error)
      throw error
    }
    const begun = epoch
    change({ status: 'renewing' })
    const done = fly(want)
      .catch((error) => fail(error, begun))
      .finally(() => {
        if (flight?.done === done) flight = undefined
      })
    flight = { want, done }
    return done
  }

  /** A token to send now; undefined = nobody is signed in, and that is known without a call. */
  async function bearer(service?: string, signal?: AbortSignal | null, least = 0): Promise<Token | undefined> {
    const token = tokenOf(service)
    const rest = left(token)
    const want = { service, than: rest > 0 ? token : undefined }
    if (rest <= least) {
      if (state.status !== 'disposed' && !possible()) {
        end({ code: 'session_missing' })
        return undefined
      }
      await orAbort(refresh(want), signal)
    } else if (token && rest <= token.margin && !flight) refresh(want).catch(ignore)
    return tokenOf(service)
  }

  // ---- requests ----

  async function carry<T>(job: Job<T>): Promise<T> {
    const { signal, service, replayable } = job
    signal?.throwIfAborted()
    const before = sidOf()
    const used = await bearer(service, signal, replayable ? 0 : early)
    same(before)
    const sid = sidOf()
    const result = await job.send(used?.text)
    const problem = used && (await job.problem(result))
    if (!problem) return result
    if (/^session_/.test(problem.code) && sid === sidOf()) end({ code: problem.code, problem })
    const want = need(problem, used, service)
    if (!want) return result
    const now = tokenOf(want.service)
    const renewal = now === used || left(now) <= 0 ? refresh(want) : undefined
    if (!replayable) {
      renewal?.catch(ignore)
      emit('not-replayable', new SessionError('E_NOT_REPLAYABLE', { status: 401, problem }))
      return result
    }
    job.drop(result)
    if (renewal) await orAbort(renewal, signal)
    same(sid)
    return job.send(tokenOf(want.service)?.text)
  }

  /** Never sends one person's request as another: the session has to be the one that it was made in. */
  function same(sid: string | undefined): void {
    if (sid && sidOf() !== sid) throw new SessionError('E_SESSION_CHANGED')
  }

  /** What a renewal would have to bring so that a refused request may pass; undefined = none would help. */
  function need(problem: Problem, than: Token, service?: string): Want | undefined {
    const { code, max_check_age: maxCheckAge = 0 } = problem
    if (code === 'token_stale_check') return { service, maxCheckAge, than }
    if (code === 'token_wrong_audience')
      return service || !problem.service ? undefined : { service: problem.service, than }
    return /^token_(expired|missing)$/.test(code) && tick() - than.got >= fresh ? { service, than } : undefined
  }

  // ---- signing in and out ----

  async function signIn(how: SignIn): Promise<State> {
    const path = `/sign-in/${realm}`
    if ('returnTo' in how) {
      world.navigate(`${world.login ?? world.url + path}?${new URLSearchParams({ app, return_to: how.returnTo })}`)
      return state
    }
    const proof = 'legacyToken' in how ? { legacy_token: how.legacyToken } : how
    const reply = await ask(world, path, { method: 'POST', body: JSON.stringify({ app, ...proof }) })
    remember(null) // a sign-in ends the session whose cookie it brings
    take(reply, ++epoch) // the result of a renewal in flight is not ours any more
    return state
  }

  function remember(sid: string | null | undefined): void {
    unsent = sid
    quietly(() => (sid ? world.storage?.setItem(storageKey, sid) : world.storage?.removeItem(storageKey)))
  }

  async function leave(query = ''): Promise<void> {
    await ask(world, `/session${query}`, { method: 'DELETE' })
    remember(null)
  }

  /** A sign-out that has not reached the server comes before everything else. */
  async function finishSignOut(): Promise<void> {
    const sid = unsent ?? quietly(() => world.storage?.getItem(storageKey))
    if (sid && (hinted() ?? sid) === sid) await leave()
    else if (sid) remember(null)
  }

  async function signOut({ everywhere }: { everywhere?: boolean } = {}): Promise<void> {
    remember(sidOf() ?? hinted())
    end({ code: 'session_signed_out' })
    await leave(everywhere ? '?everywhere=true' : '')
  }

  // ---- the page ----

  function look(reason: string): void {
    if (state.status === 'unknown' || !possible()) return
    const than = tokenOf()
    if (reason === 'online') retryAt = 0
    const another = (hinted() ?? sidOf()) !== sidOf()
    if (another) tokens.clear()
    if (state.error || another || left(than) <= (than?.margin ?? 0)) refresh({ than }).catch(ignore)
  }

  const unwatch = watch(world, {
    look,
    hide: tabs.close,
    show: tabs.open,
    due: () => left(tokenOf()) - (tokenOf()?.margin ?? -early),
  })
  tabs.open()

  const session: Session = {
    get state() {
      return state
    },
    carry,
    covers(text) {
      const url = quietly(() => new URL(text, world.page?.location.href))
      if (!url || !world.origins.includes(url.origin)) return false
      const { href } = url
      return !href.startsWith(world.url) || !/^\/(session|sign-in)(?![\w-])/.test(href.slice(world.url.length))
    },
    async ready({ verify, signal } = {}) {
      const begun = epoch
      const check = () => ask(world, '/session', {}).catch((error) => fail(error, begun))
      if (left(tokenOf()) <= 0) await orAbort(refresh({}).catch(ignore), signal)
      else if (verify) await orAbort(check().catch(ignore), signal)
      if (state.status === 'disposed') throw new SessionError('E_DISPOSED')
      return state
    },
    async renew({ signal, ...want } = {}) {
      await orAbort(refresh({ ...want, than: tokenOf(want.service) }), signal)
      return state
    },
    async getToken({ minValidity = 0, service, signal } = {}) {
      return (await bearer(service, signal, minValidity * 1000))?.text ?? null
    },
    signIn,
    signOut,
    subscribe: (listener) => on('state', listener),
    on,
    dispose() {
      forget()
      unwatch()
      tabs.close()
      clear()
      state = blank('disposed')
    },
    fetch: fetchOf(
      world,
      () => session,
      (header) => [...tokens.values()].some(({ text }) => RegExp(`^bearer ${text}$`, 'i').test(header)),
    ),
  }
  return session
}
