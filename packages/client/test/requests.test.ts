import { beforeEach, expect, test, vi } from 'vitest'
import { air, api, auth, browser, clock, expired, locks, page, pass, Server, settle, storage } from './server'

let server: Server
beforeEach(() => {
  clock()
  server = new Server()
  browser(server)
})

/** Refuses the first token, whatever is sent with it. */
async function refused() {
  const session = page(server)
  await settle(session.ready())
  await pass(6000)
  server.renewals = 0
  server.service = (request, answer) =>
    request.headers.get('Authorization')?.includes('~2~') ? server.problem(401, 'token_expired') : answer()
  return session
}

const form = new FormData()
form.set('file', new File(['bytes'], 'a.txt'))
for (const [name, body] of Object.entries({
  JSON: '{"a":1}',
  'FormData+File': form,
  URLSearchParams: new URLSearchParams({ a: 'b' }),
  Blob: new Blob(['blob']),
  ArrayBuffer: new TextEncoder().encode('buffer').buffer,
  Request: new Request(`${api}/`, { method: 'POST', body: 'request' }),
}))
  test(`bodies: ${name}, replay byte-identical`, async () => {
    const session = await refused()
    const call = body instanceof Request ? session.fetch(body) : session.fetch(`${api}/`, { method: 'POST', body })
    expect(await settle(call)).toHaveProperty('status', 200)
    const sent = server.calls.filter((it) => it.url.startsWith(api) && it.method === 'POST')
    const texts = await Promise.all(sent.map(async (it) => (await it.text()).replace(/-+formdata-\S+/g, '--')))
    expect(texts).toHaveLength(2)
    expect(texts[0]).toBe(texts[1])
    expect(texts[0]).not.toBe('')
  })

test('stream body: 401 returned, E_NOT_REPLAYABLE noted, session refreshed for the next call', async () => {
  const session = await refused()
  const noted = vi.fn()
  session.on('not-replayable', noted)
  const init = { method: 'POST', body: new Blob(['x']).stream(), duplex: 'half' } as RequestInit
  expect(await settle(session.fetch(`${api}/`, init))).toHaveProperty('status', 401)
  expect(noted.mock.calls[0]?.[0]).toMatchObject({ code: 'E_NOT_REPLAYABLE' })
  await pass(200)
  expect(server.renewals).toBe(1)
  expect(await settle(session.fetch(`${api}/`))).toHaveProperty('status', 200)
})

test('a stream is renewed-for first', async () => {
  const session = page(server)
  await settle(session.ready())
  await pass(280_000)
  const init = { method: 'POST', body: new Blob(['x']).stream(), duplex: 'half' } as RequestInit
  expect(await settle(session.fetch(`${api}/`, init))).toHaveProperty('status', 200)
  expect(server.calls.at(-1)?.headers.get('Authorization')).toContain('~3~')
})

test('API keeps returning 401 after refresh: 1 refresh, 1 replay, then the 401; next 20 calls within 5 s: 0 refreshes', async () => {
  const session = await refused()
  server.service = () => server.problem(401, 'token_expired')
  server.calls = []
  expect(await settle(session.fetch(`${api}/`))).toHaveProperty('status', 401)
  expect([server.renewals, server.calls.length]).toEqual([1, 3])
  for (let n = 0; n < 20; n++) expect(await settle(session.fetch(`${api}/`))).toHaveProperty('status', 401)
  expect(server.renewals).toBe(1)
})

test('a 401 for another reason is returned', async () => {
  const session = await refused()
  for (const answer of [
    server.problem(401, 'token_malformed'),
    server.problem(401, 'constructor'), // what every object has
    new Response('no', { status: 401 }),
  ]) {
    server.service = () => answer
    const response = await settle(session.fetch(`${api}/`))
    expect([response.status, server.renewals]).toEqual([401, 0])
    // Test that everything works if the user reads the body
    expect(await response.text()).not.toBe('')
  }
})

test('token_stale_check is renewed with its max_check_age, also on a fresh token', async () => {
  const session = page(server)
  server.service = (request, answer) =>
    request.headers.get('Authorization')?.includes('~2~')
      ? server.problem(401, 'token_stale_check', { max_check_age: 60 })
      : answer()
  expect(await settle(session.fetch(`${api}/`))).toHaveProperty('status', 200)
  const renewals = server.calls.filter((it) => it.url === `${auth}/session`)
  expect(await Promise.all(renewals.map((it) => it.json()))).toEqual([
    { app: 'tools' },
    { app: 'tools', max_check_age: 60 },
  ])
})

test('token_wrong_audience is renewed with the service', async () => {
  const session = page(server)
  server.service = (request, answer) =>
    request.headers.get('Authorization')?.endsWith('~market')
      ? answer()
      : server.problem(401, 'token_wrong_audience', { service: 'market' })
  expect(await settle(session.fetch(`${api}/`))).toHaveProperty('status', 200)
  expect(await settle(session.fetch(`${api}/`, { service: 'market' }))).toHaveProperty('status', 200)
  expect(server.renewals).toBe(2)
})

test('response bodies of discarded 401s are cancelled', async () => {
  const session = await refused()
  const cancelled = vi.fn()
  server.service = (request, answer) => {
    if (!request.headers.get('Authorization')?.includes('~2~')) return answer()
    const response = server.problem(401, 'token_expired')
    vi.spyOn(response.body as ReadableStream, 'cancel').mockImplementation(async () => cancelled())
    vi.spyOn(response, 'clone').mockReturnValue(server.problem(401, 'token_expired'))
    return response
  }
  await settle(session.fetch(`${api}/`))
  expect(cancelled).toHaveBeenCalledOnce()
})

test('test with fetch interception should not happen when domain is not the one that they gave', async () => {
  const session = page(server, { origins: [api, auth] })
  await settle(session.ready())
  for (const url of [
    'https://other.test/',
    `${api}.evil.test/`,
    'http://api.test/',
    `${auth}/session`,
    `${auth}/sign-in/staff`,
  ])
    expect([url, session.covers(url)]).toEqual([url, false])
  for (const url of [`${api}/session`, `${auth}/sessions`, `${auth}/x?/session`])
    expect([url, session.covers(url)]).toEqual([url, true])
  await settle(session.fetch('https://other.test/'))
  expect(server.calls.at(-1)?.headers.has('Authorization')).toBe(false)
})

test('test disabled interception', async () => {
  const session = await expired(server)
  expect(await settle(session.fetch(`${api}/`, { session: false }))).toHaveProperty('status', 401)
  expect(server.renewals).toBe(0)
})

test("should ignore the auth header if it matches the current session, should not ignore the auth header if it doesn't match", async () => {
  const session = await refused()
  const token = await session.getToken()
  expect(await settle(session.fetch(`${api}/`, { headers: { authorization: `bearer ${token}` } }))).toHaveProperty(
    'status',
    200,
  )
  await settle(session.fetch(`${api}/`, { headers: { Authorization: 'Basic abc', 'X-Own': '1' } }))
  expect(server.calls.at(-1)?.headers.get('Authorization')).toBe('Basic abc')
  // test that custom headers are being sent
  expect(server.calls.at(-1)?.headers.get('X-Own')).toBe('1')
})

test('test that if an api throws an error it gets propagated to the user with interception', async () => {
  const session = page(server)
  for (const status of [400, 405, 500]) {
    server.service = () => new Response('no', { status })
    expect(await settle(session.fetch(`${api}/`))).toHaveProperty('status', status)
  }
  server.service = () => Promise.reject(new TypeError('down'))
  await expect(settle(session.fetch(`${api}/`))).rejects.toThrow('down')
  expect(session.state.status).toBe('active')
})

test('own calls: cookies, no redirects, no cache, and the page may go meanwhile', async () => {
  const inits: RequestInit[] = []
  const session = page(server, {
    fetch: (input, init) => {
      inits.push(init as RequestInit)
      return server.fetch(input, init)
    },
  })
  await settle(session.renew())
  expect(inits[0]).toMatchObject({
    method: 'POST',
    credentials: 'include',
    redirect: 'error',
    cache: 'no-store',
    keepalive: true,
  })
})

test('signIn: by the page, by a password, by a legacy token', async () => {
  const { location } = browser(server)
  const session = page(server)
  await session.signIn({ returnTo: '/here' })
  expect(location.assign.mock.calls).toEqual([[`${auth}/sign-in/staff?app=tools&return_to=%2Fhere`]])
  const heard = vi.fn()
  session.on('signed-in', heard)
  expect(await settle(session.signIn({ legacyToken: 'old' }))).toMatchObject({ status: 'active' })
  expect(heard).toHaveBeenCalledOnce()
  expect(await server.calls.at(-1)?.json()).toEqual({ app: 'tools', legacy_token: 'old' })
})

test('token_invalid: an honest token whose key was retired is renewed, once', async () => {
  const session = await refused()
  const unknown = (request: Request, answer: () => Response) =>
    request.headers.get('Authorization')?.includes('~2~') ? server.problem(401, 'token_invalid') : answer()
  server.service = unknown
  expect(await settle(session.fetch(`${api}/`))).toHaveProperty('status', 200)
  expect(server.renewals).toBe(1)
  // One that is invalid for good comes back, without a loop.
  server.service = () => server.problem(401, 'token_invalid')
  for (let n = 0; n < 20; n++) expect(await settle(session.fetch(`${api}/`))).toHaveProperty('status', 401)
  expect(server.renewals).toBe(1)
})

test('session_limit: a typed error with the sessions and a ticket, and a sign-in that ends one of them', async () => {
  const session = page(server)
  const sessions = [{ id: 'S0', device: 'Chrome on Windows', started_at: 7 }]
  server.signIn = () => server.problem(409, 'session_limit', { sessions, ticket: 'T' })
  const refused = await settle(session.signIn({ login: 'kim', password: 'x' })).catch((it) => it)
  expect(refused).toMatchObject({ code: 'session_limit', status: 409, transient: false, sessions, ticket: 'T' })
  expect(session.state.status).toBe('unknown')
  server.signIn = () => server.answer()
  const { ticket, sessions: held } = refused
  expect(await settle(session.signIn({ ticket, end: held[0].id }))).toMatchObject({ status: 'active' })
  expect(await server.calls.at(-1)?.json()).toEqual({ app: 'tools', ticket: 'T', end: 'S0' })
})

test('credentials_wrong and too_many_attempts are told, and sign nobody out', async () => {
  const session = page(server)
  await settle(session.ready())
  server.signIn = () => server.problem(429, 'too_many_attempts', {}, { 'Retry-After': '9' })
  const error = await settle(session.signIn({ login: 'lee', password: 'x' })).catch((it) => it)
  expect(error).toMatchObject({ code: 'E_RATE_LIMITED', retryAfter: 9000, problem: { code: 'too_many_attempts' } })
  expect(session.state).toMatchObject({ status: 'active', account: { id: 'kim' } })
})

test('should not acquire a browser lock when cache is populated: no storage, no cookie, no message either', async () => {
  const kept = storage()
  const [get, locked, channel] = [vi.spyOn(kept, 'getItem'), locks(), air()]
  browser(server, { storage: kept, locks: locked, channel })
  const session = page(server)
  await settle(session.ready())
  const cookies = vi.spyOn(server, 'cookies', 'get')
  const told = vi.spyOn(channel.prototype, 'postMessage')
  get.mockClear()
  locked.request.mockClear()
  for (let n = 0; n < 100; n++) await settle(session.fetch(`${api}/`))
  const touched = [get, locked.request, cookies, told].map((it) => it.mock.calls.length)
  expect(touched).toEqual([0, 0, 0, 0])
})

test('testing api methods: each is sent as it is, and once more', async () => {
  for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']) {
    const session = await refused()
    server.calls = []
    server.service = (request, answer) =>
      request.headers.get('Authorization')?.includes(`~${server.generation - server.renewals}~`)
        ? server.problem(401, 'token_expired')
        : answer()
    expect(await settle(session.fetch(`${api}/`, { method }))).toHaveProperty('status', 200)
    expect(server.calls.map((it) => it.method)).toEqual([method, 'POST', method])
  }
})

test('test that relative URLs get intercepted if frontend and backend are on same domain', () => {
  browser(server, { href: 'https://shop.test:8443/here/' })
  const session = page(server, { origins: ['https://shop.test:8443', 'http://127.0.0.1:81'] })
  for (const url of ['/x', 'x', '?a', '//shop.test:8443/', 'http://127.0.0.1:81/'])
    expect([url, session.covers(url)]).toEqual([url, true])
  for (const url of ['https://shop.test/', 'http://shop.test:8443/', 'http://127.0.0.1/', '//evil.test/', 'http://['])
    expect([url, session.covers(url)]).toEqual([url, false])
})

test('two SSR requests never share state', async () => {
  vi.unstubAllGlobals()
  const [a, b] = [page(server, { hint: false }), page(new Server(), { hint: false })]
  await settle(a.renew())
  expect([a.state.status, b.state.status]).toEqual(['active', 'unknown'])
})
