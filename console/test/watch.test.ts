import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { lookEvery, watchSession } from '../src/session/watch'
import { problem, renewed, scripted, who } from './server'

class Page extends EventTarget {
  visibilityState = 'visible'
  defaultView = new EventTarget()
}

function open(routes: Parameters<typeof scripted>[0]) {
  const page = new Page()
  const it = scripted(routes)
  const stop = watchSession(it.session, page as unknown as Document)
  const wait = async (milliseconds: number) => {
    it.world.now += milliseconds
    await vi.advanceTimersByTimeAsync(milliseconds)
  }
  return { ...it, page, stop, wait }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('a visible page learns of a revocation within one interval', async () => {
  let revoked = false
  const { session, wait } = open({
    'POST /session': () => renewed(1),
    'GET /session': () => (revoked ? problem(401, 'session_revoked') : who()),
  })
  await session.ready()
  await wait(lookEvery)
  expect(session.state().status).toBe('active')
  revoked = true
  await wait(lookEvery)
  expect(session.state()).toMatchObject({ status: 'anonymous', end: { code: 'session_revoked' } })
})

test('a hidden page asks nothing, and asks at once when it is seen again', async () => {
  const { session, page, wait, count } = open({ 'POST /session': () => renewed(1), 'GET /session': () => who() })
  await session.ready()
  page.visibilityState = 'hidden'
  page.dispatchEvent(new Event('visibilitychange'))
  await wait(10 * lookEvery)
  expect(count('GET', '/session')).toBe(0)
  page.visibilityState = 'visible'
  page.dispatchEvent(new Event('visibilitychange'))
  await wait(0)
  expect(count('GET', '/session')).toBe(1)
})

test('while the server is out of reach it is asked less and less often, and again as before when it is back', async () => {
  let broken = true
  const { session, wait, count } = open({
    'POST /session': () => renewed(1),
    'GET /session': () => (broken ? problem(503, 'store_unavailable') : who()),
  })
  await session.look()
  await wait(60_000)
  expect(count('GET', '/session')).toBeLessThan(10)
  expect(session.state().status).toBe('unreachable')
  broken = false
  await wait(31_000)
  expect(session.state().status).toBe('active')
})

test('nobody signed in: nothing to watch', async () => {
  const { session, world, wait, seen } = open({})
  world.cookies = ''
  await session.ready()
  await wait(10 * lookEvery)
  expect(seen).toEqual([])
})

test('stopped, it leaves nothing behind', async () => {
  const { session, page, stop, wait, count } = open({ 'POST /session': () => renewed(1), 'GET /session': () => who() })
  await session.ready()
  stop()
  page.defaultView.dispatchEvent(new Event('focus'))
  await wait(3 * lookEvery)
  expect(vi.getTimerCount()).toBe(0)
  expect(count('GET', '/session')).toBeLessThanOrEqual(1) // the focus still in flight
})
