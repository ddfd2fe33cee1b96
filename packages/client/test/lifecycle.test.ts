import { beforeEach, expect, test, vi } from 'vitest'
import { air, browser, clock, page, pass, Server, settle, timers } from './server'

let server: Server
let view: ReturnType<typeof browser>
beforeEach(() => {
  clock()
  server = new Server()
  view = browser(server)
})

const fire = (event: string) => view.fire(event)

test('should handle multiple visibility changes', async () => {
  const session = page(server)
  await settle(session.ready())
  for (let n = 0; n < 20; n++) fire('visibilitychange')
  await pass(500)
  expect(server.renewals).toBe(1)
  await pass(300_000)
  for (const event of ['visibilitychange', 'focus', 'pageshow']) fire(event)
  await pass(500)
  expect(server.renewals).toBe(2)
})

test('a look during the first renewal does not make it come too late', async () => {
  const session = page(server)
  const ready = session.ready()
  await pass(5)
  for (const event of ['visibilitychange', 'focus', 'pageshow']) fire(event)
  expect((await settle(ready)).status).toBe('active')
  expect(server.renewals).toBe(1)
})

test('hidden tab issues 0 refreshes', async () => {
  const session = page(server, { keepAlive: 'visible' })
  await settle(session.ready())
  view.document.hidden = true
  fire('visibilitychange')
  await pass(3_600_000)
  fire('focus')
  await pass(500)
  expect(server.renewals).toBe(1)
})

test('keepAlive renews ahead of time, while visible', async () => {
  const session = page(server, { keepAlive: 'visible' })
  await settle(session.ready())
  await pass(3_600_000)
  expect(server.renewals).toBeGreaterThan(9)
  expect(server.renewals).toBeLessThan(16)
  session.dispose()
  expect(timers()).toBe(0)
})

test('ttl 60 days: no setTimeout overflow', async () => {
  server.lifetime = 60 * 86_400
  const timer = vi.spyOn(globalThis, 'setInterval')
  const session = page(server, { keepAlive: 'visible' })
  await settle(session.ready())
  fire('focus')
  await pass(7_200_000)
  expect(Math.max(...timer.mock.calls.map(([, ms]) => ms ?? 0))).toBeLessThan(3_600_000)
  expect(server.renewals).toBe(1)
  session.dispose()
})

test('offline at wake: waits for online, 1 refresh, no signed-out', async () => {
  const session = page(server)
  const out = vi.fn()
  session.on('signed-out', out)
  await settle(session.ready())
  view.navigator.onLine = false
  await pass(3_600_000)
  fire('visibilitychange')
  await pass(500)
  expect([session.state.status, server.renewals]).toEqual(['unreachable', 1])
  view.navigator.onLine = true
  fire('online')
  await pass(500)
  expect([session.state.status, server.renewals, out.mock.calls.length]).toEqual(['active', 2, 0])
})

test('bfcache restore after login elsewhere: state re-read', async () => {
  view = browser(server, { channel: air() })
  const session = page(server)
  await settle(session.ready())
  fire('pagehide')
  Object.assign(server, { sid: 'S2', account: 'lee' })
  const changed = vi.fn()
  session.on('changed', changed)
  fire('pageshow')
  await pass(500)
  expect([changed.mock.calls.length, session.state.account?.id]).toEqual([1, 'lee'])
})

test('bfcache restore after logout elsewhere: state re-read', async () => {
  view = browser(server, { channel: air() })
  const session = page(server)
  await settle(session.ready())
  fire('pagehide')
  server.hint = false
  server.script = () => server.problem(401, 'session_missing')
  const out = vi.fn()
  session.on('signed-out', out)
  fire('pageshow')
  await pass(500)
  expect([out.mock.calls.length, session.state.status]).toEqual([1, 'anonymous'])
})

test('should handle pagehide event: the channel is closed, and open again afterwards', async () => {
  const channel = air()
  view = browser(server, { channel })
  const session = page(server)
  expect(channel.all.size).toBe(1)
  fire('pagehide')
  expect(channel.all.size).toBe(0)
  fire('pageshow')
  expect(channel.all.size).toBe(1)
  session.dispose()
  expect(channel.all.size).toBe(0)
})

test('a sign-out that did not arrive is sent when the network is back', async () => {
  const session = page(server)
  await settle(session.ready())
  view.navigator.onLine = false
  await settle(session.signOut()).catch(() => {})
  expect([session.state.status, server.deletes]).toEqual(['anonymous', 0])
  view.navigator.onLine = true
  fire('online')
  await pass(500)
  expect([session.state.status, server.deletes, server.renewals]).toEqual(['anonymous', 1, 1])
})
