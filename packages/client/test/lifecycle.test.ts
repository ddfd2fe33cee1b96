import { beforeEach, expect, test, vi } from 'vitest'
import { air, auth, clock, page, pass, Server, settle } from './server'

let server: Server
let view: EventTarget & { document: { visibilityState: string }; location: object; navigator: object }
beforeEach(() => {
  clock()
  server = new Server()
  view = Object.assign(new EventTarget(), {
    document: { visibilityState: 'visible' },
    location: { href: `${auth}/`, origin: auth, hostname: 'auth.test' },
    navigator: { onLine: true },
  })
  vi.stubGlobal('window', view)
})

const fire = (event: string) => view.dispatchEvent(new Event(event))

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

test('hidden tab issues 0 refreshes', async () => {
  const session = page(server, { keepAlive: 'visible' })
  await settle(session.ready())
  view.document.visibilityState = 'hidden'
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
  expect(vi.getTimerCount()).toBe(0)
})

test('ttl 60 days: no setTimeout overflow', async () => {
  server.lifetime = 60 * 86_400
  const timer = vi.spyOn(globalThis, 'setTimeout')
  const session = page(server, { keepAlive: 'visible' })
  await settle(session.ready())
  fire('focus')
  await pass(7_200_000)
  expect(Math.max(...timer.mock.calls.map(([, ms]) => ms ?? 0))).toBeLessThan(3_600_000)
  expect(server.renewals).toBe(1)
  session.dispose()
})

test('offline at wake: waits for online, 1 refresh, no signed-out', async () => {
  let online = true
  const session = page(server, { online: () => online })
  const out = vi.fn()
  session.on('signed-out', out)
  await settle(session.ready())
  online = false
  await pass(3_600_000)
  fire('visibilitychange')
  await pass(500)
  expect([session.state.status, server.renewals]).toEqual(['unreachable', 1])
  online = true
  fire('online')
  await pass(500)
  expect([session.state.status, server.renewals, out.mock.calls.length]).toEqual(['active', 2, 0])
})

test('bfcache restore after login elsewhere: state re-read', async () => {
  const channel = air()
  const session = page(server, { channel })
  await settle(session.ready())
  fire('pagehide')
  Object.assign(server, { sid: 'S2', account: 'lee' })
  const changed = vi.fn()
  session.on('changed', changed)
  fire('pageshow')
  await pass(500)
  expect([changed.mock.calls.length, session.state.account?.id]).toEqual([1, 'lee'])
})

test('should handle pagehide event: the channel is closed, and open again afterwards', async () => {
  const closed = vi.fn()
  const opened = vi.fn()
  const session = page(server, {
    channel: () => {
      opened()
      return { onmessage: null, postMessage() {}, close: closed }
    },
  })
  fire('pagehide')
  expect(closed).toHaveBeenCalledOnce()
  fire('pageshow')
  expect(opened).toHaveBeenCalledTimes(2)
  session.dispose()
  expect(closed).toHaveBeenCalledTimes(2)
})
