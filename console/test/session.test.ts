import { describe, expect, test } from 'vitest'
import { CallError } from '../src/session/errors'
import { json, problem, renewed, scripted, start, who } from './server'

const tick = () => new Promise((resolve) => setTimeout(resolve))

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => null,
    (cause) => cause,
  )
  return error instanceof CallError ? error.code : String(error)
}

describe('one renewal', () => {
  test('a hundred calls at once without a token cost one', async () => {
    const { session, count } = scripted({
      'POST /session': () => renewed(1),
      'GET /thing': ({ headers }) => json(200, headers.Authorization),
    })
    const answers = await Promise.all(Array.from({ length: 100 }, () => session.call('/thing')))
    expect(new Set(answers)).toEqual(new Set(['Bearer token-1']))
    expect(count('POST', '/session')).toBe(1)
  })

  test('a hundred calls refused as expired cost one, and each is repeated once', async () => {
    let number = 0
    const { session, count } = scripted({
      'POST /session': () => renewed(++number),
      'GET /thing': ({ headers }) =>
        headers.Authorization === 'Bearer token-2' ? json(200, 'fine') : problem(401, 'token_expired'),
    })
    await session.ready()
    const answers = await Promise.all(Array.from({ length: 100 }, () => session.call('/thing')))
    expect(answers.every((answer) => answer === 'fine')).toBe(true)
    expect(count('POST', '/session')).toBe(2)
    expect(count('GET', '/thing')).toBe(200)
  })

  test('it is a JSON call with the cookie, and names the app', async () => {
    const { session, seen } = scripted({ 'POST /session': () => renewed(1) })
    await session.renew()
    expect(seen[0]).toMatchObject({ body: { app: 'console' }, credentials: 'same-origin' })
    expect(seen[0]?.headers['Content-Type']).toBe('application/json')
  })

  test('a call that is refused again after it is not repeated for ever, and signs nobody out', async () => {
    let number = 0
    const { session, count } = scripted({
      'POST /session': () => renewed(++number),
      'GET /thing': () => problem(401, 'token_invalid'),
    })
    expect(await codeOf(session.call('/thing'))).toBe('token_invalid')
    expect(count('GET', '/thing')).toBe(2)
    expect(session.state().status).toBe('active')
  })

  test("a token's life is told by the server's clock, not by ours", async () => {
    const hour = 3_600_000
    let number = 0
    const { session, world, count } = scripted({
      'POST /session': () => {
        const at = world.now - hour // our clock is an hour ahead
        const answer = renewed(++number, 'sid-a', at)
        answer.headers.set('Date', new Date(at).toUTCString())
        return answer
      },
      'GET /thing': () => json(200, 'fine'),
    })
    await session.call('/thing')
    await session.call('/thing')
    expect(count('POST', '/session')).toBe(1)
    world.now += 301_000
    await session.call('/thing')
    expect(count('POST', '/session')).toBe(2)
  })
})

describe('only the server signs out', () => {
  const reasons = [
    'missing',
    'unknown',
    'expired',
    'signed_out',
    'replaced',
    'revoked',
    'cut_off',
    'unconfirmed',
    'reused',
  ]

  test.each(reasons)('session_%s on a call ends the session, with the reason', async (reason) => {
    const { session } = scripted({
      'POST /session': () => renewed(1),
      'GET /thing': () => problem(401, `session_${reason}`, { replaced_at: 7, replaced_by: 'Chrome on Windows' }),
    })
    expect(await codeOf(session.call('/thing'))).toBe(`session_${reason}`)
    expect(session.state()).toMatchObject({
      status: 'anonymous',
      account: null,
      end: { code: `session_${reason}`, replacedAt: 7, replacedBy: 'Chrome on Windows' },
    })
  })

  const transient: [string, () => Response][] = [
    ['500', () => problem(500, 'internal')],
    ['503', () => problem(503, 'store_unavailable')],
    ['429', () => problem(429, 'too_many_attempts')],
    ['a bad gateway of a proxy', () => new Response('<h1>502</h1>', { status: 502 })],
    ['the page of a captive portal', () => new Response('<h1>Welcome</h1>', { status: 200 })],
    [
      'no answer',
      () => {
        throw new TypeError('Failed to fetch')
      },
    ],
  ]

  test.each(transient)('%s on a renewal leaves everybody signed in', async (_, reply) => {
    let broken = false
    const { session, world } = scripted({
      'POST /session': () => (broken ? reply() : renewed(1)),
      'GET /thing': () => json(200, 'fine'),
    })
    await session.ready()
    broken = true
    world.now += 301_000
    await expect(session.call('/thing')).rejects.toBeInstanceOf(CallError)
    expect(session.state()).toMatchObject({ status: 'unreachable', account: { name: 'Kim' } })
    broken = false
    await session.look({ force: true }).catch(() => {})
    expect(session.state().account?.name).toBe('Kim')
  })

  test('a 401 that is not ours signs nobody out', async () => {
    const { session } = scripted({
      'POST /session': () => renewed(1),
      'GET /thing': () => new Response('who are you?', { status: 401 }),
    })
    expect(await codeOf(session.call('/thing'))).toBe('E_BAD_RESPONSE')
    expect(session.state().status).toBe('active')
  })

  test('a failed renewal is shared by all, and by those who come soon after', async () => {
    const { session, world, count } = scripted({ 'POST /session': () => problem(503, 'store_unavailable') })
    const codes = await Promise.all(Array.from({ length: 50 }, () => codeOf(session.call('/thing'))))
    expect(new Set(codes)).toEqual(new Set(['store_unavailable']))
    expect(await codeOf(session.call('/thing'))).toBe('store_unavailable')
    expect(count('POST', '/session')).toBe(1)
    world.now += 501
    await codeOf(session.call('/thing'))
    expect(count('POST', '/session')).toBe(2)
    expect(session.waitLeft()).toBe(1000) // twice as long as the first time
  })

  test('no answer in the middle of a call is counted once', async () => {
    let gone = false
    const { session } = scripted({
      'POST /session': () => {
        if (gone) throw new TypeError('Failed to fetch')
        return renewed(1)
      },
      'GET /thing': () => problem(401, 'token_expired'),
    })
    await session.ready()
    gone = true
    expect(await codeOf(session.call('/thing'))).toBe('E_NETWORK')
    expect(session.waitLeft()).toBe(500)
  })

  test('the server says how long to wait', async () => {
    const { session } = scripted({ 'POST /session': () => problem(429, 'too_many_attempts', { retry_after: 20 }) })
    await codeOf(session.renew())
    expect(session.waitLeft()).toBe(20_000)
  })

  test('offline nothing is tried', async () => {
    const { session, world, seen } = scripted({})
    world.online = false
    expect(await codeOf(session.call('/thing'))).toBe('E_OFFLINE')
    expect(seen).toEqual([])
    expect(session.state().status).toBe('unreachable')
  })

  test('whoever only asked too late for an ended session does not end the one that came after', async () => {
    let sid = 'sid-a'
    let release = () => {}
    const { session, world } = scripted({
      'POST /session': () => renewed(1, sid),
      'GET /session': () => who(sid),
      'GET /slow': () =>
        new Promise<Response>((resolve) => {
          release = () => resolve(problem(401, 'session_replaced'))
        }),
    })
    await session.ready()
    const slow = codeOf(session.call('/slow'))
    await tick()
    sid = 'sid-b'
    world.cookies = 'munjigi-staff-hint=sid-b.1'
    await session.look()
    release()
    expect(await slow).toBe('session_replaced')
    expect(session.state()).toMatchObject({ status: 'active', live: { id: 'sid-b' } })
  })
})

describe('somebody else in another tab', () => {
  test("one person's call is never repeated as another's", async () => {
    let sid = 'sid-a'
    const { session, count } = scripted({
      'POST /session': () => renewed(1, sid),
      'POST /order': () => problem(401, 'token_expired'),
    })
    await session.ready()
    sid = 'sid-b'
    expect(await codeOf(session.call('/order', { method: 'POST', body: {} }))).toBe('E_SESSION_CHANGED')
    expect(count('POST', '/order')).toBe(1)
    expect(session.state().account?.id).toBe('account-of-sid-b')
  })
})

describe('arriving', () => {
  test('without a hint there is no session, and no call to learn so', async () => {
    const { session, world, seen } = scripted({})
    world.cookies = 'other=1'
    expect((await session.ready()).status).toBe('anonymous')
    expect(session.state().end).toBeNull()
    expect(seen).toEqual([])
  })

  test('a hint whose cookie is gone shows no reason: nothing ended', async () => {
    const { session } = scripted({ 'POST /session': () => problem(401, 'session_missing') })
    expect(await session.ready()).toMatchObject({ status: 'anonymous', end: null })
  })

  test('a hint of a session that was revoked meanwhile shows why, and is asked about once', async () => {
    const { session, count } = scripted({ 'POST /session': () => problem(401, 'session_revoked') })
    expect((await session.ready()).end).toMatchObject({ code: 'session_revoked' })
    await session.ready()
    expect(count('POST', '/session')).toBe(1)
  })

  test('a sign-in in another tab is noticed', async () => {
    const { session, world } = scripted({ 'POST /session': () => renewed(1, 'sid-c') })
    world.cookies = ''
    await session.ready()
    world.cookies = 'munjigi-staff-hint=sid-c.1'
    expect(await session.ready()).toMatchObject({ status: 'active', live: { id: 'sid-c' } })
  })

  test('an unreachable server lets the page in, to say so there', async () => {
    const { session } = scripted({ 'POST /session': () => problem(503, 'store_unavailable') })
    expect(await session.ready()).toMatchObject({ status: 'unreachable', account: null })
  })
})

describe('looking', () => {
  test('tells when the company last confirmed the person', async () => {
    const { session } = scripted({ 'POST /session': () => renewed(1), 'GET /session': () => who() })
    await session.look()
    expect(session.state()).toMatchObject({ status: 'active', checkedAt: 1_789_999_990 })
  })

  test('renews shortly before the end', async () => {
    const { session, world, count } = scripted({
      'POST /session': () => renewed(1, 'sid-a', world.now),
      'GET /session': () => who(),
    })
    await session.look()
    world.now = start + 269_000
    await session.look()
    expect(count('POST', '/session')).toBe(1)
    world.now = start + 271_000
    await session.look()
    expect(count('POST', '/session')).toBe(2)
  })

  test('finds a server out of reach, counts each failure once, and finds it back', async () => {
    let broken = true
    const { session, world } = scripted({
      'POST /session': () => renewed(1),
      'GET /session': () => (broken ? problem(500, 'internal') : who()),
    })
    await session.look()
    expect(session.state().status).toBe('unreachable')
    expect(session.waitLeft()).toBe(500)
    broken = false
    world.now += 500
    await session.look()
    expect(session.state()).toMatchObject({ status: 'active', trouble: null })
  })
})

describe('signing out', () => {
  test('proves who leaves by the cookie, and says what happened', async () => {
    const { session, seen } = scripted({ 'POST /session': () => renewed(1), 'DELETE /session': () => json(204, null) })
    await session.ready()
    await session.signOut()
    expect(seen.at(-1)).toMatchObject({ credentials: 'same-origin', headers: { 'Munjigi-App': 'console' } })
    expect(session.state().end?.code).toBe('session_signed_out')
  })

  test('that did not arrive is not pretended', async () => {
    const { session } = scripted({
      'POST /session': () => renewed(1),
      'DELETE /session?everywhere=true': () => problem(503, 'store_unavailable'),
    })
    await session.ready()
    expect(await codeOf(session.signOut({ everywhere: true }))).toBe('store_unavailable')
    expect(session.state().status).toBe('active')
  })
})
