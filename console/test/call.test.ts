import { SessionError } from '@munjigi/client'
import { afterEach, expect, test, vi } from 'vitest'
import { callOf, codeOf, isOver, isPassing, openCall } from '../src/session/call'
import { json, problem, renewed, scripted } from './server'

afterEach(() => vi.unstubAllGlobals())

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => null,
    (error) => error,
  )

test("the console's calls bear its token and leave the cookie at home", async () => {
  const { session, seen } = scripted({ 'POST /session': () => renewed(1), 'GET /thing': () => json(200, 'fine') })
  expect(await callOf(session)('/thing')).toBe('fine')
  expect(seen.at(-1)).toMatchObject({ headers: { Authorization: 'Bearer token-1' }, credentials: 'omit' })
})

test("members' calls go by the cookie of their app, and bear no token that is for its services", async () => {
  const { session, seen } = scripted({ 'POST /session': () => renewed(1), 'GET /sessions': () => json(200, 'fine') })
  await callOf(session, 'shop')('/sessions')
  expect(seen.at(-1)).toMatchObject({ headers: { 'Munjigi-App': 'shop' }, credentials: 'same-origin' })
  expect(seen.at(-1)?.headers.Authorization).toBeUndefined()
})

test('nobody signed in: nothing is sent', async () => {
  const { session, world, seen } = scripted({})
  world.cookies = ''
  expect(isOver(await failure(callOf(session)('/thing')))).toBe(true)
  expect(seen).toEqual([])
})

test('the end of a session, told by any call, ends it with its reason', async () => {
  const { session } = scripted({
    'POST /session': () => renewed(1),
    'GET /thing': () => problem(401, 'session_replaced', { replaced_at: 7, replaced_by: 'Chrome on Windows' }),
  })
  const error = await failure(callOf(session)('/thing'))
  expect(isOver(error)).toBe(true)
  expect(session.state).toMatchObject({
    status: 'anonymous',
    end: { reason: 'session_replaced', replacedAt: 7, replacedBy: 'Chrome on Windows' },
  })
})

test.each([
  ['500', () => problem(500, 'internal'), 'internal', true],
  ['503', () => problem(503, 'store_unavailable'), 'store_unavailable', true],
  ['429', () => problem(429, 'too_many_attempts'), 'too_many_attempts', true],
  ['403', () => problem(403, 'role_missing'), 'role_missing', false],
  ["a proxy's page", () => new Response('<h1>502</h1>', { status: 502 }), 'E_SERVER', true],
  ["a portal's page", () => new Response('<h1>Welcome</h1>', { status: 200 }), 'E_BAD_RESPONSE', true],
  ["somebody else's 401", () => new Response('who are you?', { status: 401 }), 'E_BAD_RESPONSE', true],
  ['no answer', () => Promise.reject(new TypeError('Failed to fetch')), 'E_NETWORK', true],
])('%s is %s, and signs nobody out', async (_, reply, code, passing) => {
  const { session } = scripted({ 'POST /session': () => renewed(1), 'GET /thing': reply })
  const error = await failure(callOf(session)('/thing'))
  expect([codeOf(error), isPassing(error), isOver(error)]).toEqual([code, passing, false])
  expect(session.state.account?.name).toBe('Kim')
})

test('offline nothing is tried', async () => {
  const { world, seen } = scripted({})
  world.online = false
  expect(codeOf(await failure(openCall('/sign-in/options')))).toBe('E_OFFLINE')
  expect(seen).toEqual([])
})

test('the server says how long to wait, in the header or in the body', async () => {
  const wait = json(429, { code: 'too_many_attempts' }, { 'Retry-After': '20' })
  scripted({ 'GET /a': () => wait, 'GET /b': () => problem(429, 'too_many_attempts', { retry_after: 7 }) })
  expect(await failure(openCall('/a'))).toMatchObject({ retryAfter: 20_000 })
  expect(await failure(openCall('/b'))).toMatchObject({ retryAfter: 7000 })
})

test('whoever gives up a call hears their own reason, not ours', async () => {
  const stop = new AbortController()
  scripted({
    'GET /slow': () => {
      stop.abort(new Error('enough'))
      throw new DOMException('aborted', 'AbortError')
    },
  })
  const error = await failure(openCall('/slow', { signal: stop.signal }))
  expect(error).not.toBeInstanceOf(SessionError)
  expect(String(error)).toContain('enough')
})
