import { beforeEach, describe, expect, test, vi } from 'vitest'
import { createSession, type SessionError } from '../src/index'
import { api, auth, browser, clock, codes, expired, many, page, pass, Server, settle, storage, timers } from './server'

let server: Server
beforeEach(() => {
  clock()
  server = new Server()
  browser(server)
})

describe('one flight', () => {
  test('test that via interception initially an endpoint is just hit once in case of valid access token', async () => {
    const session = page(server)
    await settle(session.ready())
    expect(await settle(session.fetch(`${api}/`))).toHaveProperty('status', 200)
    expect(server.calls).toHaveLength(2)
  })

  for (const n of [1, 4, 100, 1000])
    test(`N=${n} parallel calls after expiry: exactly 1 refresh, N successes`, async () => {
      const session = await expired(server)
      const results = await settle(many(n, (i) => session.fetch(`${api}/${i}`)))
      expect(results.every((it) => it.status === 'fulfilled' && it.value.status === 200)).toBe(true)
      expect(server.renewals).toBe(1)
    })

  for (const n of [4, 100, 1000])
    test(`N=${n} parallel 401: exactly 1 refresh, N successes`, async () => {
      const session = page(server)
      await settle(session.ready())
      await pass(6000)
      server.renewals = 0
      server.service = (request, answer) =>
        request.headers.get('Authorization')?.includes('~2~') ? server.problem(401, 'token_expired') : answer()
      const results = await settle(many(n, (i) => session.fetch(`${api}/${i}`)))
      expect(results.every((it) => it.status === 'fulfilled' && it.value.status === 200)).toBe(true)
      expect(server.renewals).toBe(1)
    })

  test('401s arriving after the refresh finished replay without a second refresh', async () => {
    const session = page(server)
    await settle(session.ready())
    await pass(6000)
    server.renewals = 0
    server.service = async (request, answer) => {
      if (!request.headers.get('Authorization')?.includes('~2~')) return answer()
      await new Promise((resolve) => setTimeout(resolve, Number(request.url.split('/').at(-1)) * 4))
      return server.problem(401, 'token_expired')
    }
    const results = await settle(many(100, (i) => session.fetch(`${api}/${i}`)))
    expect(results.every((it) => it.status === 'fulfilled' && it.value.status === 200)).toBe(true)
    expect(server.renewals).toBe(1)
  })

  test('proactive and reactive start together: 1 refresh', async () => {
    const session = page(server)
    await settle(session.ready())
    await pass(280_000)
    server.renewals = 0
    await settle(
      Promise.all([session.renew(), session.fetch(`${api}/`), session.getToken({ minValidity: 60 }), session.ready()]),
    )
    expect(server.renewals).toBe(1)
  })

  test('ttl 5 s shorter than margin: no loop (margin = min(margin, ttl/3))', async () => {
    server.lifetime = 5
    const session = page(server)
    await settle(session.ready())
    for (let n = 0; n < 20; n++) await settle(session.fetch(`${api}/`))
    expect(server.renewals).toBe(1)
  })

  test('close to expiry but alive: sent now, renewed in the background', async () => {
    const session = page(server)
    await settle(session.ready())
    await pass(280_000)
    const answer = session.fetch(`${api}/`)
    await pass(25)
    expect((await answer).status).toBe(200)
    await pass(200)
    expect(server.renewals).toBe(2)
  })

  test('refreshes a token only if outside of expiry', async () => {
    const session = page(server)
    await settle(session.ready())
    const first = await settle(session.getToken({ minValidity: 60 }))
    await pass(250_000)
    expect(await settle(session.getToken({ minValidity: 60 }))).not.toBe(first)
    expect(server.renewals).toBe(2)
  })
})

describe('failures', () => {
  const failing = {
    'refresh 500 with 100 waiters: 1 attempt series, 100 same errors, state unreachable, no signed-out': [
      500,
      'E_SERVER',
      1,
    ],
    'refresh 503 with 100 waiters: 1 attempt series, 100 same errors, state unreachable, no signed-out': [
      503,
      'E_SERVER',
      3,
    ],
    'refresh 429 with 100 waiters: 1 attempt series, 100 same errors, state unreachable, no signed-out': [
      429,
      'E_RATE_LIMITED',
      1,
    ],
    'proxy 407 → transient': [407, 'E_BAD_RESPONSE', 1],
    'proxy 511 → transient': [511, 'E_SERVER', 1],
    'proxy 403 → transient': [403, 'E_BAD_RESPONSE', 1],
    'Cloudflare edge errors (525)': [525, 'E_SERVER', 1],
  } as const
  for (const [name, [status, code, attempts]] of Object.entries(failing))
    test(name, async () => {
      const session = await expired(server)
      const out = vi.fn()
      session.on('signed-out', out)
      server.script = () => new Response('<html>', { status })
      const results = await settle(many(100, () => session.fetch(`${api}/`)))
      expect(codes(results)).toEqual([code])
      expect(new Set(results.map((it) => it.status === 'rejected' && it.reason)).size).toBe(1)
      expect([server.renewals, session.state.status, session.state.account?.id]).toEqual([
        attempts,
        'unreachable',
        'kim',
      ])
      expect(session.state.error?.transient).toBe(true)
      expect(out).not.toHaveBeenCalled()
      // within cooldown: 50 more calls, 0 network
      server.calls = []
      expect(codes(await settle(many(50, () => session.fetch(`${api}/`))))).toEqual([code])
      expect(server.calls).toHaveLength(0)
    })

  test('should throw error if refresh fails with a network error', async () => {
    const session = await expired(server)
    server.script = () => Promise.reject(new TypeError('Failed to fetch'))
    expect(codes(await settle(many(100, () => session.fetch(`${api}/`))))).toEqual(['E_NETWORK'])
    expect([server.renewals, session.state.status]).toEqual([3, 'unreachable'])
  })

  test('should do offline nothing, and again on online', async () => {
    const { navigator } = browser(server)
    const session = await expired(server)
    navigator.onLine = false
    await expect(settle(session.fetch(`${api}/`))).rejects.toMatchObject({ code: 'E_OFFLINE' })
    expect(server.calls).toHaveLength(0)
    navigator.onLine = true
    await pass(60_000)
    expect(await settle(session.fetch(`${api}/`))).toHaveProperty('status', 200)
  })

  test('refresh hangs: E_TIMEOUT at timeout±10 %, next call may try again', async () => {
    const session = await expired(server)
    server.script = () => new Promise(() => {})
    const begun = Date.now()
    const results = await settle(many(100, () => session.fetch(`${api}/`)))
    expect(codes(results)).toEqual(['E_TIMEOUT'])
    expect((Date.now() - begun) / 10_000).toBeCloseTo(1, 1)
    expect(server.renewals).toBe(1)
    server.script = (_, answer) => answer()
    await pass(1000)
    expect(await settle(session.fetch(`${api}/`))).toHaveProperty('status', 200)
  })

  test('lost response: the retry succeeds', async () => {
    const session = await expired(server)
    let lost = 0
    server.script = (_, answer) => (lost++ ? answer() : Promise.reject(new TypeError('gone')))
    const results = await settle(many(100, () => session.fetch(`${api}/`)))
    expect(codes(results)).toEqual(['fine'])
    expect(server.renewals).toBe(2)
  })

  test('attempts that each take long: E_TIMEOUT after 10 s in all', async () => {
    const session = await expired(server)
    server.script = async () => {
      await new Promise((resolve) => setTimeout(resolve, 4000))
      return new Response(null, { status: 503 })
    }
    const begun = Date.now()
    await expect(settle(session.fetch(`${api}/`))).rejects.toMatchObject({ code: 'E_TIMEOUT', transient: true })
    expect(Date.now() - begun).toBeLessThanOrEqual(12_000)
    expect(server.renewals).toBe(3)
  })

  test('Retry-After seconds and HTTP-date honoured, capped', async () => {
    for (const kind of ['7', 'date', '999999']) {
      const session = await expired(server)
      const header = kind === 'date' ? new Date(Date.now() + 7_000).toUTCString() : kind
      server.script = () => server.problem(429, 'too_many_attempts', {}, { 'Retry-After': header })
      const error: SessionError = await settle(session.fetch(`${api}/`)).catch((it) => it)
      expect(error.retryAfter).toBeGreaterThan(5500)
      expect(error.retryAfter).toBeLessThanOrEqual(header === '999999' ? 300_000 : 7000)
      server.script = (_, answer) => answer()
      await pass(error.retryAfter - 1000)
      await expect(settle(session.fetch(`${api}/`))).rejects.toBe(error)
      await pass(1500)
      expect(await settle(session.fetch(`${api}/`))).toHaveProperty('status', 200)
    }
  })

  test('cooldown cleared after successful refresh', async () => {
    const session = await expired(server)
    server.script = () => new Response(null, { status: 500 })
    for (let n = 0; n < 5; n++) await settle(session.renew({ force: true })).catch(() => {})
    server.script = (_, answer) => answer()
    await settle(session.renew({ force: true }))
    expect(session.state).toMatchObject({ status: 'active', error: null })
    server.script = () => new Response(null, { status: 500 })
    await settle(session.renew({ force: true })).catch(() => {})
    server.script = (_, answer) => answer()
    await pass(700)
    await settle(session.renew())
  })

  for (const [name, body] of Object.entries({
    'captive portal: 200 text/html from refresh → transient, session kept': '<html>Welcome</html>',
    'test refresh session with removed front-token header in the response': '{"access_token":"x"}',
    'refresh throwing an error with empty body': '',
    'a session without a token': '{"session":{"id":"S1"},"expires_at":1}',
  }))
    test(name, async () => {
      const session = await expired(server)
      server.script = () => new Response(body, { status: 200 })
      await expect(settle(session.fetch(`${api}/`))).rejects.toMatchObject({ code: 'E_BAD_RESPONSE', transient: true })
      expect([session.state.status, session.state.session?.id]).toEqual(['unreachable', 'S1'])
    })

  test('retryable refresh failure + access token still valid: calls go on', async () => {
    const session = page(server)
    await settle(session.ready())
    await pass(280_000)
    server.script = () => new Response(null, { status: 500 })
    for (let n = 0; n < 10; n++) expect(await settle(session.fetch(`${api}/`))).toHaveProperty('status', 200)
    expect(session.state.status).toBe('unreachable')
  })

  test('a mistake of the set-up is none of the session', async () => {
    const session = await expired(server)
    server.script = () => server.problem(403, 'origin_refused')
    await expect(settle(session.fetch(`${api}/`))).rejects.toMatchObject({ code: 'origin_refused', transient: false })
    expect(session.state.session?.id).toBe('S1')
    expect(() => createSession({ url: auth, app: '', realm: 'staff' })).toThrow('E_CONFIG')
  })
})

describe('the end', () => {
  test('401 definitive: 100 waiters, 1 signed-out event, 1 navigation to /login', async () => {
    const session = await expired(server)
    const out = vi.fn()
    session.on('signed-out', out)
    server.script = () => server.problem(401, 'session_replaced', { replaced_by: 'Chrome on Windows', replaced_at: 7 })
    const results = await settle(many(100, () => session.fetch(`${api}/`)))
    expect(codes(results)).toEqual(['session_replaced'])
    expect(out.mock.calls).toEqual([[{ reason: 'session_replaced', replacedBy: 'Chrome on Windows', replacedAt: 7 }]])
    expect(session.state).toMatchObject({ status: 'anonymous', account: null, end: { reason: 'session_replaced' } })
    // API returning 401 will not call refresh after logout
    server.renewals = 0
    expect(await settle(session.fetch(`${api}/`))).toHaveProperty('status', 401)
    expect(server.renewals).toBe(0)
  })

  test('a 401 that is not of a session is transient', async () => {
    const session = await expired(server)
    server.script = () => server.problem(401, 'basic_auth')
    await settle(session.fetch(`${api}/`)).catch(() => {})
    expect(session.state).toMatchObject({ status: 'unreachable', session: { id: 'S1' } })
  })

  test('no refresh call after 401 response that removes session', async () => {
    const session = page(server)
    await settle(session.ready())
    const out = vi.fn()
    session.on('signed-out', out)
    server.service = () => server.problem(401, 'session_revoked')
    server.renewals = 0
    expect(await settle(session.fetch(`${api}/`))).toHaveProperty('status', 401)
    await pass(100)
    expect([server.renewals, session.state.status, out.mock.calls.length]).toEqual([0, 'anonymous', 1])
  })

  test('test that an api call without cookies throws session expire, refresh api is not called and 401 is the output', async () => {
    server.hint = false
    const session = page(server)
    const out = vi.fn()
    session.on('signed-out', out)
    expect(await settle(session.fetch(`${api}/`))).toHaveProperty('status', 401)
    expect([server.renewals, session.state.status]).toEqual([0, 'anonymous'])
    // test that unauthorised event is not fired on initial page load
    expect(out).not.toHaveBeenCalled()
    expect(await settle(session.getToken())).toBe(null)
    expect((await settle(session.ready())).status).toBe('anonymous')
  })

  test('should call refresh and return false if no session is present', async () => {
    server.script = () => server.problem(401, 'session_missing')
    server.hint = false
    const session = page(server, { hint: false })
    expect(await settle(session.ready())).toMatchObject({ status: 'anonymous', end: null })
    await settle(session.ready())
    expect(server.renewals).toBe(1)
  })

  test('nobody is there: verify asks nothing, and with a live token it asks', async () => {
    server.hint = false
    expect((await settle(page(server).ready({ verify: true }))).status).toBe('anonymous')
    expect(server.calls).toHaveLength(0)
    server.hint = true
    const session = page(server)
    await settle(session.ready())
    await settle(session.ready({ verify: true }))
    expect(server.calls.map(({ method }) => method)).toEqual(['POST', 'GET'])
  })

  test('should not throw if refresh returns a 500', async () => {
    server.script = () => new Response(null, { status: 500 })
    expect((await settle(page(server).ready())).status).toBe('unreachable')
  })

  test('test session should not exist when user calls log out', async () => {
    const session = page(server)
    await settle(session.ready())
    const gone = session.signOut()
    expect(session.state).toMatchObject({ status: 'anonymous', end: { reason: 'session_signed_out' } })
    await settle(gone)
    expect(server.deletes).toBe(1)
    expect(await settle(session.getToken())).toBe(null)
  })

  test('a sign-out that did not arrive comes before anything else', async () => {
    const kept = storage()
    browser(server, { storage: kept })
    const session = page(server)
    await settle(session.ready())
    server.script = () => new Response(null, { status: 500 })
    await expect(settle(session.signOut())).rejects.toMatchObject({ code: 'E_SERVER' })
    expect(session.state.status).toBe('anonymous')
    expect([...kept.kept.values()]).toEqual(['S1'])
    server.script = (_, answer) => answer()
    server.calls = []
    await settle(page(server).ready())
    expect(server.calls.map((it) => it.method)).toEqual(['DELETE', 'POST'])
    expect(kept.kept.size).toBe(0)
  })

  test('logout during refresh: refreshed tokens discarded, state anonymous', async () => {
    const session = await expired(server)
    const call = session.fetch(`${api}/`).catch((error) => error.code)
    await pass(1)
    const gone = session.signOut()
    expect(await settle(call)).toBe('E_SESSION_CHANGED')
    await settle(gone)
    expect(session.state.status).toBe('anonymous')
    expect(await settle(session.getToken())).toBe(null)
  })

  test('login (adopt) during refresh: older result discarded', async () => {
    const session = await expired(server)
    let resolve = () => {}
    const promise = new Promise<void>((done) => {
      resolve = done
    })
    server.script = async (_, answer) => {
      const older = answer()
      await promise
      return older
    }
    const call = session.renew().catch((error) => error.code)
    await pass(50)
    server.sid = 'S2'
    await settle(session.signIn({ login: 'lee', password: 'x' }))
    resolve()
    expect(await settle(call)).toBe('E_SESSION_CHANGED')
    expect(session.state).toMatchObject({ status: 'active', session: { id: 'S2' } })
  })

  test('a sign-in that is refused leaves a refresh in flight alone', async () => {
    const session = await expired(server)
    const call = session.fetch(`${api}/`)
    const refused = session.signIn({ login: 'kim', password: 'wrong' }).catch((error) => error)
    server.signIn = () => server.problem(401, 'credentials_wrong')
    expect(await settle(refused)).toMatchObject({ code: 'credentials_wrong', transient: false })
    expect(await settle(call)).toHaveProperty('status', 200)
    expect(session.state.status).toBe('active')
  })

  test('account switch while 401 pending: E_SESSION_CHANGED, request NOT re-sent', async () => {
    const session = page(server)
    await settle(session.ready())
    await pass(6000)
    const changed = vi.fn()
    session.on('changed', changed)
    server.service = (_, answer) => {
      Object.assign(server, { sid: 'S2', account: 'lee', service: () => answer() })
      return server.problem(401, 'token_expired')
    }
    server.calls = []
    await expect(settle(session.fetch(`${api}/`, { method: 'POST', body: 'x' }))).rejects.toMatchObject({
      code: 'E_SESSION_CHANGED',
    })
    expect(server.calls.filter((it) => it.url.startsWith(api))).toHaveLength(1)
    expect(changed).toHaveBeenCalledOnce()
    expect(session.state.account?.id).toBe('lee')
  })
})

describe('callers and listeners', () => {
  test('abort one waiter: rejects <50 ms, others succeed, refresh not aborted', async () => {
    const session = await expired(server)
    const stop = new AbortController()
    const first = session.fetch(`${api}/`, { signal: stop.signal }).catch((error) => error.name)
    const others = many(99, () => session.fetch(`${api}/`))
    await pass(5)
    stop.abort()
    await pass(0)
    expect(await first).toBe('AbortError')
    expect(codes(await settle(others))).toEqual(['fine'])
    expect(server.renewals).toBe(1)
  })

  test('abort all: refresh still commits', async () => {
    const session = await expired(server)
    const stop = new AbortController()
    const all = many(5, () => session.fetch(`${api}/`, { signal: stop.signal }))
    await pass(5)
    stop.abort()
    await all
    await pass(200)
    expect(session.state.status).toBe('active')
  })

  test('already-aborted signal: no request at all', async () => {
    const session = await expired(server)
    await expect(settle(session.fetch(`${api}/`, { signal: AbortSignal.abort() }))).rejects.toHaveProperty(
      'name',
      'AbortError',
    )
    expect(server.calls).toHaveLength(0)
  })

  test('listener throws / awaits fetch() inside listener: no deadlock, others run', async () => {
    const session = await expired(server)
    const last = vi.fn()
    const inner = vi.fn()
    const reported = vi.fn()
    // As a browser does, which reports what a listener throws and goes on.
    vi.stubGlobal('queueMicrotask', (work: () => void) => Promise.resolve().then(work).catch(reported))
    session.subscribe(() => {
      throw new Error('mine')
    })
    session.subscribe(async ({ status }) => {
      if (status === 'active') inner((await session.fetch(`${api}/`)).status)
    })
    session.subscribe(last)
    await settle(session.renew())
    await pass(500)
    expect(inner).toHaveBeenCalledWith(200)
    expect(reported).toHaveBeenCalledTimes(2)
    expect(last.mock.calls.map(([{ status }]) => status)).toEqual(['renewing', 'active'])
  })

  test('HMR/StrictMode double mount: one session, dispose leaves 0 listeners/channels/locks', async () => {
    const session = await expired(server)
    const heard = vi.fn()
    session.subscribe(heard)
    const call = session.fetch(`${api}/`).catch((error) => error.code)
    session.dispose()
    expect(await settle(call)).toMatch(/E_/)
    expect(session.state.status).toBe('disposed')
    await expect(settle(session.fetch(`${api}/`))).rejects.toMatchObject({ code: 'E_DISPOSED' })
    expect(heard.mock.calls.every(([{ status }]) => status !== 'active')).toBe(true)
    expect(timers()).toBe(0)
  })

  test('import in Node/SSR/edge/worker: no side effect, no throw', () => {
    vi.unstubAllGlobals()
    const channel = vi.fn()
    vi.stubGlobal('BroadcastChannel', channel)
    const session = createSession({ url: auth, app: 'tools', realm: 'staff' })
    expect(session.state.status).toBe('unknown')
    expect([timers(), channel.mock.calls.length]).toEqual([0, 0])
    session.dispose()
  })
})

describe('clock', () => {
  for (const skew of [3600, -3600, 86_400])
    test(`client clock ${skew} s off the server's: no extra refresh`, async () => {
      server.skew = skew
      const session = page(server)
      for (let n = 0; n < 5; n++) expect(await settle(session.fetch(`${api}/`))).toHaveProperty('status', 200)
      expect(server.renewals).toBe(1)
    })

  for (const jump of [3600, -3600])
    test(`clock jumps ${jump} s: ≤1 extra refresh, no loop`, async () => {
      const session = page(server)
      await settle(session.ready())
      const now = Date.now
      vi.spyOn(Date, 'now').mockImplementation(() => now() + jump * 1000)
      server.skew = -jump
      for (let n = 0; n < 5; n++) expect(await settle(session.fetch(`${api}/`))).toHaveProperty('status', 200)
      expect(server.renewals).toBeLessThanOrEqual(2)
    })

  test('sleep 8 h (clock jump): first call refreshes once, no timer storm', async () => {
    const session = page(server)
    await settle(session.ready())
    vi.setSystemTime(Date.now() + 8 * 3_600_000)
    expect(codes(await settle(many(20, () => session.fetch(`${api}/`))))).toEqual(['fine'])
    expect(server.renewals).toBe(2)
  })
})
