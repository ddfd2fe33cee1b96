import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { lookEvery, watchSession } from '../src/session/look'
import { signOut } from '../src/session/sign-out'
import { json, problem, renewed, scripted, start } from './server'

class Page extends EventTarget {
  visibilityState = 'visible'
  defaultView = new EventTarget()
}

function open(routes: Parameters<typeof scripted>[0]) {
  const page = new Page()
  const it = scripted(routes)
  const stop = watchSession(it.session, page as unknown as Document)
  const wait = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds)
  const ready = async () => {
    const arriving = it.session.ready()
    await wait(100)
    await arriving
  }
  return { ...it, page, stop, wait, ready }
}

const who = () => json(200, { account: {}, session: {} })

beforeEach(() => {
  vi.useFakeTimers({ now: start, toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

test('a visible page learns of a revocation within one interval', async () => {
  let revoked = false
  const { session, ready, wait } = open({
    'POST /session': () => renewed(1),
    'GET /session': () => (revoked ? problem(401, 'session_revoked') : who()),
  })
  await ready()
  await wait(lookEvery)
  expect(session.state.status).toBe('active')
  revoked = true
  await wait(lookEvery)
  expect(session.state).toMatchObject({ status: 'anonymous', end: { reason: 'session_revoked' } })
})

test('a hidden page asks nothing, and asks at once when it is seen again', async () => {
  const { ready, page, wait, count } = open({ 'POST /session': () => renewed(1), 'GET /session': who })
  await ready()
  page.visibilityState = 'hidden'
  page.dispatchEvent(new Event('visibilitychange'))
  await wait(5 * lookEvery)
  expect(count('GET', '/session')).toBe(0)
  page.visibilityState = 'visible'
  page.dispatchEvent(new Event('visibilitychange'))
  await wait(0)
  expect(count('GET', '/session')).toBe(1)
})

test('a server out of reach is said so, asked less and less often, and found again when it is back', async () => {
  let broken = true
  const outage = () => problem(503, 'store_unavailable')
  const { session, ready, wait, seen } = open({
    'POST /session': () => (broken && session.state.account ? outage() : renewed(1)),
    'GET /session': () => (broken ? outage() : who()),
  })
  await ready()
  await wait(lookEvery)
  expect(session.state).toMatchObject({ status: 'unreachable', account: { name: 'Kim' } })
  const before = seen.length
  await wait(60_000)
  expect(seen.length - before).toBeLessThan(25)
  broken = false
  await wait(40_000)
  expect(session.state).toMatchObject({ status: 'active', error: null })
})

test('nobody signed in: nothing to watch', async () => {
  const { ready, world, wait, seen } = open({})
  world.cookies = ''
  await ready()
  await wait(10 * lookEvery)
  expect(seen).toEqual([])
})

test('stopped, it leaves nothing behind', async () => {
  const { ready, page, stop, wait, count } = open({ 'POST /session': () => renewed(1), 'GET /session': who })
  await ready()
  await wait(0)
  stop()
  page.defaultView.dispatchEvent(new Event('focus'))
  await wait(3 * lookEvery)
  expect(vi.getTimerCount()).toBe(0)
  expect(count('GET', '/session')).toBe(0)
})

test('a sign-out that the server has not heard of is told it again, everywhere as it was meant', async () => {
  let broken = true
  const { session, ready, wait, count } = open({
    'POST /session': () => renewed(1),
    'DELETE /session?everywhere=true': () => (broken ? problem(503, 'store_unavailable') : json(204, null)),
  })
  await ready()
  expect(await signOut(session, { everywhere: true })).toBe(false)
  expect(session.state.end?.reason).toBe('session_signed_out')
  broken = false
  await wait(5000)
  await wait(60_000)
  expect(count('DELETE', '/session?everywhere=true')).toBe(2)
})
