import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createSignIn } from '../src/screens/password/sign-in-flow'
import { openCall } from '../src/session/call'
import { json, problem, type Reply, scripted, start } from './server'

const sessions = [
  { id: 'new', device: 'Chrome on Windows', started_at: 200 },
  { id: 'old', device: 'Safari on iPhone', started_at: 100 },
]
const full = () => problem(409, 'session_limit', { sessions, ticket: 'T' })

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})
beforeEach(() => {
  vi.useFakeTimers({ now: start, toFake: ['Date'] })
})

/** A sign-in page whose server gives these answers one after another. */
function open(...replies: Reply[]) {
  const it = scripted({ 'POST /sign-in/members': (request) => (replies.shift() as Reply)(request) })
  const gone = { times: 0, broken: false }
  const leave = async () => {
    if (gone.broken) throw new TypeError('not found out')
    gone.times++
  }
  const flow = createSignIn({ call: openCall, realm: 'members', app: 'shop', leave })
  const bodies = () => it.seen.map(({ body }) => body)
  return { ...it, flow, gone, bodies }
}

test('a right password leads to where one wanted to go', async () => {
  const { flow, gone, seen } = open(() => json(200, {}))
  await flow.signIn('Kim', 'right')
  expect(seen[0]).toMatchObject({
    body: { app: 'shop', login: 'Kim', password: 'right' },
    credentials: 'same-origin',
    headers: { 'Accept-Language': 'ko' },
  })
  expect([flow.phase.value, gone.times]).toEqual(['done', 1])
})

test('a wrong one is said so, and one may try again', async () => {
  const { flow, gone } = open(
    () => problem(401, 'credentials_wrong'),
    () => json(200, {}),
  )
  await flow.signIn('kim', 'wrong')
  expect([flow.phase.value, flow.trouble.value?.kind, gone.times]).toEqual(['form', 'wrong', 0])
  await flow.signIn('kim', 'right')
  expect([flow.trouble.value, gone.times]).toEqual([null, 1])
})

test('two presses are one attempt', async () => {
  const { flow, seen } = open(() => json(200, {}))
  await Promise.all([flow.signIn('kim', 'right'), flow.signIn('kim', 'right')])
  expect(seen.length).toBe(1)
})

test('after too many attempts nothing is sent until the time is over', async () => {
  const { flow, seen, gone } = open(
    () => problem(429, 'too_many_attempts', { retry_after: 90 }),
    () => json(200, {}),
  )
  await flow.signIn('kim', 'wrong')
  expect([flow.trouble.value?.kind, flow.waitUntil.value]).toEqual(['wait', start + 90_000])
  vi.setSystemTime(start + 89_999)
  await flow.signIn('kim', 'right')
  expect(seen.length).toBe(1)
  vi.setSystemTime(start + 90_000)
  await flow.signIn('kim', 'right')
  expect(gone.times).toBe(1)
})

test.each([
  ['no answer', () => Promise.reject(new TypeError('Failed to fetch')), 'away'],
  ['503', () => problem(503, 'store_unavailable', { request: 'r1' }), 'away'],
  ["a proxy's page", () => new Response('<h1>502</h1>', { status: 502 }), 'away'],
  ['a closed account', () => problem(401, 'session_cut_off'), 'refused'],
  ['another origin', () => problem(403, 'origin_refused'), 'refused'],
  ['a limit without a choice', () => problem(409, 'session_limit'), 'refused'],
] as [string, Reply, string][])('%s: %s', async (_, reply, kind) => {
  const { flow, gone } = open(reply)
  await flow.signIn('kim', 'right')
  expect([flow.phase.value, flow.trouble.value?.kind, gone.times]).toEqual(['form', kind, 0])
})

test('as many devices as may be: the oldest is offered first, and one click ends it and signs in', async () => {
  const { flow, gone, bodies } = open(full, () => json(200, {}))
  await flow.signIn('kim', 'right')
  expect(flow.phase.value).toBe('limit')
  expect(flow.choice.value?.sessions.map(({ id }) => id)).toEqual(['old', 'new'])
  expect(flow.choice.value?.until).toBe(start + 60_000)
  await flow.end('new')
  expect(bodies()[1]).toEqual({ app: 'shop', ticket: 'T', end: 'new' })
  expect(gone.times).toBe(1)
})

test('a server that is away meanwhile costs no choice: the ticket is tried again', async () => {
  const { flow, gone } = open(
    full,
    () => problem(503, 'store_unavailable'),
    () => json(200, {}),
  )
  await flow.signIn('kim', 'right')
  await flow.end('old')
  expect([flow.phase.value, flow.trouble.value?.kind]).toEqual(['limit', 'away'])
  await flow.end('old')
  expect(gone.times).toBe(1)
})

test('a ticket that is refused, or whose minute is over, leads back to the start, and says why', async () => {
  const { flow } = open(full, () => problem(401, 'credentials_wrong'), full)
  await flow.signIn('kim', 'right')
  await flow.end('old')
  expect([flow.phase.value, flow.trouble.value?.kind, flow.choice.value]).toEqual(['form', 'late', null])
  await flow.signIn('kim', 'right')
  flow.expire()
  expect([flow.phase.value, flow.trouble.value?.kind, flow.choice.value]).toEqual(['form', 'late', null])
})

test('whoever is signed in but cannot leave is not asked for the password again', async () => {
  const { flow, gone, seen } = open(() => json(200, {}))
  gone.broken = true
  await flow.signIn('kim', 'right')
  expect([flow.phase.value, flow.trouble.value !== null]).toEqual(['done', true])
  gone.broken = false
  await flow.goOn()
  expect([gone.times, seen.length, flow.trouble.value]).toEqual([1, 1, null])
})
