import axios, { AxiosError, type AxiosInstance } from 'axios'
import { beforeEach, expect, test, vi } from 'vitest'
import { attachAxios } from '../src/axios'
import type { Session } from '../src/index'
import { api, browser, clock, codes, expired, many, page, pass, Server, settle } from './server'

let server: Server
beforeEach(() => {
  clock()
  server = new Server()
  browser(server)
})

/** An axios whose network is the scripted server. */
function attached(session: Session): AxiosInstance {
  const instance = axios.create({ baseURL: api, adapter: 'fetch', env: { fetch: server.fetch } } as object)
  attachAxios(instance, session)
  return instance
}

for (const n of [4, 100, 1000])
  test(`N=${n} parallel 401: exactly 1 refresh, N successes × axios, two axios instances + fetch together`, async () => {
    const session = await expired(server)
    const [a, b] = [attached(session), attached(session)]
    const ways = [() => a.get('/a'), () => b.get('/b'), () => session.fetch(`${api}/`)]
    const results = await settle(many(n, async (i) => ways[i % 3]?.()))
    expect(results.every((it) => it.status === 'fulfilled' && it.value?.status === 200)).toBe(true)
    expect(server.renewals).toBe(1)
  })

test('axios: transformRequest, interceptors, validateStatus, baseURL run once / survive replay', async () => {
  const session = page(server)
  await settle(session.ready())
  await pass(6000)
  const instance = attached(session)
  const before = vi.fn((config) => config)
  const after = vi.fn((response) => response)
  const transform = vi.fn((data) => JSON.stringify(data))
  instance.interceptors.request.use(before)
  instance.interceptors.response.use(after)
  server.service = (request, answer) =>
    request.headers.get('Authorization')?.includes('~2~') ? server.problem(401, 'token_expired') : answer()
  for (const validateStatus of [null, (status: number) => status < 300]) {
    const options = { transformRequest: transform, validateStatus, headers: { 'Content-Type': 'application/json' } }
    expect(await settle(instance.post('/x', { a: 1 }, options))).toMatchObject({ status: 200 })
  }
  const sent = server.calls.filter((it) => it.url === `${api}/x`)
  expect(await Promise.all(sent.map((it) => it.text()))).toEqual(['{"a":1}', '{"a":1}', '{"a":1}'])
  expect([before.mock.calls.length, after.mock.calls.length, transform.mock.calls.length]).toEqual([2, 2, 2])
})

test('refresh session endpoint responding with 500: the typed error for all', async () => {
  const session = await expired(server)
  const instance = attached(session)
  server.script = () => new Response(null, { status: 500 })
  expect(codes(await settle(many(100, () => instance.get('/'))))).toEqual(['E_SERVER'])
  expect(server.renewals).toBe(1)
})

test('abort while waiting is an abort of axios', async () => {
  const session = await expired(server)
  const stop = new AbortController()
  const call = attached(session)
    .get('/', { signal: stop.signal })
    .catch((error) => error)
  await pass(5)
  stop.abort()
  expect(axios.isCancel(await settle(call))).toBe(true)
})

test('test that if an api throws an error it gets propagated to the user with interception', async () => {
  const session = page(server)
  const instance = attached(session)
  server.service = () => new Response('no', { status: 500 })
  const error = await settle(instance.get('/')).catch((it) => it)
  expect(error).toBeInstanceOf(AxiosError)
  expect(error.response.status).toBe(500)
})

test("doesn't intercept skipped request: another origin, or an Authorization of its own", async () => {
  const session = await expired(server)
  const instance = attached(session)
  server.service = (request) => new Response(request.headers.get('Authorization') ?? 'none')
  expect((await settle(instance.get('https://other.test/'))).data).toBe('none')
  expect((await settle(instance.get('/', { headers: { Authorization: 'Basic x' } }))).data).toBe('Basic x')
  expect(server.renewals).toBe(0)
})

test('axios: responseType blob and cancelToken survive', async () => {
  const session = page(server)
  await settle(session.ready())
  await pass(6000)
  const instance = attached(session)
  server.service = (request, answer) =>
    request.headers.get('Authorization')?.includes('~2~') ? server.problem(401, 'token_expired') : answer()
  const { status, data } = await settle(instance.get('/', { responseType: 'blob' }))
  expect([status, data instanceof Blob, server.renewals]).toEqual([200, true, 2])

  await pass(301_000)
  const { token, cancel } = axios.CancelToken.source()
  const call = instance.get('/', { cancelToken: token }).catch((error) => error)
  await pass(5)
  cancel('enough')
  expect(axios.isCancel(await settle(call))).toBe(true)
})

for (const responseType of ['stream', 'arraybuffer'] as const)
  test(`axios: responseType ${responseType} survives replay`, async () => {
    const session = page(server)
    await settle(session.ready())
    await pass(6000)
    const instance = attached(session)
    server.service = (request, answer) =>
      request.headers.get('Authorization')?.includes('~2~') ? server.problem(401, 'token_expired') : answer()
    const { status, data } = await settle(instance.get('/', { responseType }))
    expect([status, await new Response(data).json(), server.renewals]).toEqual([200, { hello: expect.any(String) }, 2])
    // One that is no good is the caller's to read.
    server.service = () => server.problem(401, 'token_malformed')
    const refused = await settle(instance.get('/', { responseType, validateStatus: null }))
    expect([refused.status, await new Response(refused.data).json()]).toMatchObject([401, { code: 'token_malformed' }])
  })
