import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createAgain } from '../src/screens/again/again-flow'
import { openCall } from '../src/session/call'
import { json, problem, type Reply, scripted, start } from './server'

const sessions = [
  { id: 'new', device: 'Chrome on Windows', started_at: 200 },
  { id: 'old', device: 'Safari on iPhone', started_at: 100 },
]
const offered = () => json(200, { app: 'shop', return_to: 'https://shop.example.com/cart', sessions })

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})
beforeEach(() => {
  vi.useFakeTimers({ now: start, toFake: ['Date'] })
})

/** A page that asks first, and then gets these answers one after another. */
async function open(first: Reply, ...replies: Reply[]) {
  const it = scripted({
    'GET /sign-in/members/choice': first,
    'POST /sign-in/members': (request) => (replies.shift() as Reply)(request),
  })
  const went: string[] = []
  const flow = createAgain({ call: openCall, realm: 'members', leave: (to) => went.push(to) })
  await flow.load()
  return { ...it, flow, went }
}

test('one session is chosen, and one goes where one wanted to go', async () => {
  const { flow, went, seen } = await open(offered, () => json(200, {}))
  expect(flow.choice.value?.sessions.map(({ id }) => id)).toEqual(['old', 'new'])
  expect(flow.choice.value?.until).toBe(start + 60_000)
  await flow.end('old')
  expect(seen.at(-1)?.body).toEqual({ app: 'shop', end: 'old' })
  expect([went, flow.choice.value]).toEqual([['https://shop.example.com/cart'], null])
})

test('when another one took the place, one chooses anew', async () => {
  const third = [{ id: 'third', device: 'Firefox on Linux', started_at: 300 }]
  const { flow, went } = await open(
    offered,
    () => problem(409, 'session_limit', { sessions: third }),
    () => json(200, {}),
  )
  vi.setSystemTime(start + 30_000)
  await flow.end('old')
  expect([flow.choice.value?.sessions, flow.choice.value?.until, went]).toEqual([third, start + 90_000, []])
  await flow.end('third')
  expect(went.length).toBe(1)
})

test.each([
  ['the ticket is over when it is asked for', () => problem(401, 'credentials_wrong'), null],
  ['the ticket is over when it is used', offered, () => problem(401, 'credentials_wrong')],
])('%s', async (_, first, second) => {
  const { flow, went } = await open(first, second as Reply)
  if (second) await flow.end('old')
  expect([flow.choice.value, flow.trouble.value?.kind, went]).toEqual([null, 'late', []])
})

test('without an answer the choice stays', async () => {
  const { flow } = await open(offered, () => problem(503, 'store_unavailable', { request: 'r1' }))
  await flow.end('old')
  expect([flow.choice.value?.sessions.length, flow.trouble.value]).toEqual([
    2,
    { kind: 'away', code: 'store_unavailable', request: 'r1' },
  ])
})

test('the minute ends the choice, and so does whoever wants none of it', async () => {
  const { flow } = await open(offered)
  flow.expire()
  expect([flow.choice.value, flow.trouble.value?.kind]).toEqual([null, 'late'])
  await flow.load()
  flow.drop()
  expect([flow.choice.value, flow.trouble.value]).toEqual([null, null])
})

test('two presses are one call', async () => {
  const { flow, seen } = await open(offered, () => json(200, {}))
  await Promise.all([flow.end('old'), flow.end('new')])
  expect(seen.filter(({ method }) => method === 'POST').length).toBe(1)
})
