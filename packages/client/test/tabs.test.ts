import { beforeEach, expect, test, vi } from 'vitest'
import { air, api, browser, clock, codes, expired, locks, many, page, pass, Server, settle } from './server'

let server: Server
beforeEach(() => {
  clock()
  server = new Server()
  browser(server)
})

function shared() {
  const origin = { channel: air(), locks: locks() }
  browser(server, origin)
  return origin
}

for (const [tabs, n] of [
  [5, 20],
  [10, 100],
] as const)
  test(`${tabs} tabs × ${n}: 1 refresh`, async () => {
    shared()
    const sessions = await Promise.all(Array.from({ length: tabs }, async () => page(server)))
    await settle(Promise.all(sessions.map((it) => it.ready())))
    expect(server.renewals).toBe(1)
    await pass(301_000)
    server.renewals = 0
    const results = await settle(Promise.all(sessions.map((it) => many(n, (i) => it.fetch(`${api}/${i}`)))))
    expect(codes(results.flat())).toEqual(['fine'])
    expect(server.renewals).toBe(1)
  })

test('a fresh page takes the token of another tab', async () => {
  shared()
  await settle(page(server).ready())
  expect((await settle(page(server).ready())).status).toBe('active')
  expect(server.renewals).toBe(1)
})

test('tab holding the lock is closed / crashed / frozen mid-refresh: others finish ≤ lockTimeout', async () => {
  const origin = shared()
  const session = await expired(server)
  origin.locks.request('x', {}, () => new Promise(() => {}))
  const begun = Date.now()
  expect(codes(await settle(many(100, () => session.fetch(`${api}/`))))).toEqual(['fine'])
  expect(Date.now() - begun).toBeLessThan(11_000)
  expect(server.renewals).toBe(1)
})

test('no navigator.locks (plain http): ≤ tabs refreshes, all succeed with grace', async () => {
  browser(server, { channel: air() })
  const sessions = Array.from({ length: 5 }, () => page(server))
  const results = await settle(Promise.all(sessions.map((it) => many(20, () => it.fetch(`${api}/`)))))
  expect(codes(results.flat())).toEqual(['fine'])
  expect(server.renewals).toBeLessThanOrEqual(5)
})

test('localStorage throws (quota / disabled) and BroadcastChannel missing: still works', async () => {
  const broken = vi.fn(() => {
    throw new Error('forbidden')
  })
  const storage = { getItem: broken, setItem: broken, removeItem: broken }
  browser(server, { channel: broken, storage, locks: { request: broken } })
  const session = await expired(server)
  expect(codes(await settle(many(10, () => session.fetch(`${api}/`))))).toEqual(['fine'])
  await settle(session.signOut())
  expect(server.deletes).toBe(1)
})

test('logout in A: B anonymous <100 ms', async () => {
  shared()
  const [a, b] = [page(server), page(server)]
  await settle(Promise.all([a.ready(), b.ready()]))
  const out = vi.fn()
  b.on('signed-out', out)
  const gone = a.signOut()
  await pass(50)
  expect(b.state).toMatchObject({ status: 'anonymous', end: { reason: 'session_signed_out' } })
  expect(out).toHaveBeenCalledOnce()
  await settle(gone)
  expect(server.deletes).toBe(1)
})

test('login as other user in A: B emits changed', async () => {
  shared()
  const [a, b] = [page(server), page(server)]
  await settle(Promise.all([a.ready(), b.ready()]))
  const changed = vi.fn()
  b.on('changed', changed)
  Object.assign(server, { sid: 'S2', account: 'lee' })
  await settle(a.signIn({ login: 'lee', password: 'x' }))
  await pass(20)
  expect(changed).toHaveBeenCalledOnce()
  expect(b.state).toMatchObject({ account: { id: 'lee' }, session: { id: 'S2' } })
})

test('a tab that knew nothing of the sign-out does not bring the session back', async () => {
  shared()
  const a = page(server)
  await settle(a.ready())
  const late = page(server)
  await settle(a.signOut())
  await settle(late.renew({ force: true })).catch(() => {})
  expect(a.state.status).toBe('anonymous')
})

test('the same token again, after a jump of the clock, is good for all tabs: 1 refresh', async () => {
  shared()
  const sessions = Array.from({ length: 5 }, () => page(server))
  await settle(Promise.all(sessions.map((it) => it.ready())))
  const token = await settle(sessions[0]?.getToken() ?? Promise.reject())
  const now = Date.now
  vi.spyOn(Date, 'now').mockImplementation(() => now() + 3_600_000)
  Object.assign(server, { renewals: 0, skew: -3600, generation: server.generation - 1 })
  const results = await settle(Promise.all(sessions.map((it) => many(20, () => it.fetch(`${api}/`)))))
  expect(codes(results.flat())).toEqual(['fine'])
  expect([server.renewals, (await settle(sessions[4]?.getToken() ?? Promise.reject())) === token]).toEqual([1, true])
})
