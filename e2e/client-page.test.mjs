// What befalls a page with the browser client: it is killed, left, restored, displaced, put to sleep, and not alone.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { expired, graceMs, rounds, run, until, visit, windows, wire } from './client-town.mjs'
import { seenUntil, visitors } from './client-visitors.mjs'

const here = visitors()
const { visiting } = here

describe('the tab that holds the lock', () => {
  const ends = {
    closed: (tab) => tab.close(),
    crashed: async (tab) => void (await wire(tab)).send('Page.crash').catch(() => {}),
    frozen: async (tab) => (await wire(tab)).send('Page.setWebLifecycleState', { state: 'frozen' }),
  }
  for (const [how, end] of Object.entries(ends)) {
    const times = how === 'frozen' ? 1 : rounds
    test(
      `${how} mid-refresh: others finish ≤ lockTimeout, ${times} times`,
      visiting(async ({ seen, tab, open }) => {
        for (let n = 0; n < times; n++) {
          await tab.goto(here.town.shop) // tabs of one machine have one clock
          const holder = await open()
          for (const it of [tab, holder]) await run(it, 'session.ready()')
          for (const it of [tab, holder]) await run(it, 'void (ahead += 3600000)')
          const hanging = /** @type {import('node:http').ServerResponse[]} */ ([])
          Object.assign(seen, { calls: 0, answer: (_req, res) => hanging.push(res) })
          await run(holder, 'void calls(20)')
          await seenUntil(() => seen.calls === 1)
          seen.answer = undefined
          const begun = performance.now()
          const others = run(tab, 'calls(20)')
          await end(holder)
          assert.deepEqual(await others, { 200: 20 })
          assert.equal(seen.calls, 2)
          assert.ok(performance.now() - begun < 14_000)
          if (how !== 'closed') await holder.close().catch(() => {})
          for (const res of hanging) res.destroy() // a browser has six connections to a host
        }
      }),
    )
  }
})

describe('leaving and coming back', () => {
  test(
    'navigate away during refresh: Set-Cookie lands (keepalive)',
    visiting(async ({ seen, tab, generation }) => {
      await run(tab, 'session.ready()')
      const before = await generation()
      seen.calls = 0
      seen.answer = async (_req, _res, on) => {
        await sleep(500)
        on()
      }
      // To be asked anew whether the person is still there takes a rotation.
      await run(tab, 'void session.renew({ maxCheckAge: 0 })')
      await seenUntil(() => seen.calls === 1)
      await tab.goto(`${here.town.shop}/plain`)
      for (let left = 400; (await generation()) === before; left--) {
        assert.ok(left, 'the cookie has not landed')
        await sleep(20)
      }
      seen.answer = undefined
      await tab.goto(here.town.shop)
      assert.deepEqual(await run(tab, 'calls(4)'), { 200: 4 })
    }),
  )

  test(
    'page with client stays bfcache-eligible; bfcache restore after logout elsewhere: state re-read',
    visiting(async ({ tab, open }) => {
      await run(tab, 'session.ready()')
      await run(tab, 'window.kept = true')
      await tab.goto(`${here.town.shop}/plain`)
      const other = await open()
      await run(other, 'session.signOut()')
      await run(tab, 'history.back()').catch(() => {})
      await until(tab, 'window.kept === true && shown.at(-1) === true')
      await until(tab, "session.state.status === 'anonymous'")
      assert.equal(await run(tab, "heard('signed-out').length"), 1)
    }),
  )

  test(
    'hidden tab issues 0 refreshes; sleep 8 h (clock jump): first call refreshes once, no timer storm',
    visiting(async ({ seen, tab, open }) => {
      const awake = await open(`${here.town.shop}/?keep`)
      await run(awake, 'session.ready()')
      await run(tab, 'session.dispose()')
      await run(awake, "Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
      await run(awake, 'void (ahead += 8 * 3600000)')
      seen.calls = 0
      await run(awake, "for (const name of ['focus', 'online', 'visibilitychange']) dispatchEvent(new Event(name))")
      await sleep(6000) // longer than a look of keepAlive
      assert.equal(seen.calls, 0)
      await run(awake, 'delete document.hidden')
      assert.deepEqual(await run(awake, 'calls(20)'), { 200: 20 })
      assert.equal(seen.calls, 1)
    }),
  )

  test(
    'clock −1 h / +1 h / jumps back: ≤1 extra refresh, no loop; CSP: no eval/inline',
    visiting(async ({ seen, tab }) => {
      for (const ahead of [-3_600_000, 3_600_000]) {
        await tab.goto(`${here.town.shop}/?ahead=${ahead}`)
        seen.calls = 0
        for (let n = 0; n < 5; n++) assert.deepEqual(await run(tab, "calls(4, 'fetch', 'axios')"), { 200: 4 })
        assert.equal(seen.calls, 1)
        await run(tab, 'void (ahead = 0)')
        for (let n = 0; n < 5; n++) assert.deepEqual(await run(tab, 'calls(4)'), { 200: 4 })
        assert.ok(seen.calls <= 2, `${seen.calls} session calls`)
      }
      assert.deepEqual(await run(tab, 'breaches'), [])
    }),
  )
})

describe('not alone', () => {
  test(
    'displaced by another browser: told once, by what and when',
    visiting(async ({ seen, tab, email }) => {
      await expired(tab)
      const thief = await visit(here.town, here.browser, { email, userAgent: windows })
      seen.calls = 0
      assert.deepEqual(await run(tab, "calls(100, 'fetch', 'axios')"), { session_replaced: 100 })
      assert.equal(seen.calls, 1)
      const [{ detail }, ...more] = await run(tab, "heard('signed-out')")
      assert.deepEqual(more, [])
      assert.equal(detail.reason, 'session_replaced')
      assert.equal(detail.replacedBy, 'Chrome on Windows')
      assert.ok(Math.abs(detail.replacedAt * 1000 - Date.now()) < 60_000, `at ${detail.replacedAt}`)
      assert.deepEqual(await run(tab, 'calls(10)'), { 401: 10 })
      assert.equal(seen.calls, 1)
      await thief.close()
    }),
  )

  test(
    `two front ends of one realm on two origins at once: 1 rotation, tokens of their own, ${rounds} times`,
    visiting(async ({ seen, tab, open, generation }) => {
      const other = await open(here.town.wholesale)
      for (let n = 0; n < rounds; n++) {
        await Promise.all([tab, other].map((it) => run(it, 'session.ready()')))
        await sleep(graceMs + 200)
        await Promise.all([tab, other].map((it) => run(it, 'void (ahead += 3600000)')))
        const before = await generation()
        Object.assign(seen, { calls: 0, audiences: [] })
        const counts = await Promise.all([tab, other].map((it) => run(it, 'calls(20)')))
        assert.deepEqual(counts, [{ 200: 20 }, { 200: 20 }])
        assert.equal(seen.calls, 2)
        assert.equal(await generation(), before + 1)
        assert.deepEqual([...new Set(seen.audiences)].sort(), ['market', 'wishlist'])
      }
    }),
  )
})

describe('by a password', () => {
  const password = 'a long walk by the river'
  const enter = `club.signIn({ login: 'Kim', password: '${password}' }).then(({ status }) => status, ({ code, status, sessions, ticket }) => {
    window.ticket = ticket
    return { code, status, sessions, ticket: typeof ticket }
  })`
  const make = "void (window.club = Munjigi.createSession({ url: meta('auth'), app: 'club', realm: 'members' }))"

  test('signed in; wrong, and nobody is; no room: the sessions and a ticket, and one of them ends', async () => {
    await here.town.join('kim', password)
    const [home, office] = await Promise.all(
      [undefined, windows].map(async (userAgent) =>
        (await here.browser.newContext(userAgent ? { userAgent } : {})).newPage(),
      ),
    )
    for (const tab of [home, office]) {
      await tab.goto(here.town.shop)
      await run(tab, make)
    }
    const wrong =
      "club.signIn({ login: 'kim', password: 'another one that is long' }).catch(({ code, status }) => [code, status])"
    assert.deepEqual(await run(office, wrong), ['credentials_wrong', 401])
    assert.equal(await run(office, enter), 'active')
    const { sessions, ...refused } = await run(home, enter)
    assert.deepEqual(refused, { code: 'session_limit', status: 409, ticket: 'string' })
    assert.equal(sessions.length, 1)
    assert.equal(sessions[0].device, 'Chrome on Windows')
    const choose = `club.signIn({ ticket, end: '${sessions[0].id}' }).then(({ status }) => status, ({ code }) => code)`
    assert.equal(await run(home, choose), 'active')
    assert.equal(await run(home, choose), 'credentials_wrong', 'a ticket works once')
    assert.equal(await run(home, 'club.state.status'), 'active')
    assert.equal(await run(office, 'club.renew({ force: true }).catch(({ code }) => code)'), 'session_replaced')
    for (const tab of [home, office]) await tab.context().close()
  })
})

describe("the story's guard", () => {
  const at = (path) => `location.pathname === '${path}'`

  test(
    "no access token, a refresh token, page entered: one session call before any component's",
    visiting(async ({ seen, tab }) => {
      await tab.goto(`${here.town.shop}/plain`)
      Object.assign(seen, { calls: 0, log: [] })
      await tab.goto(`${here.town.shop}/orders`)
      await seenUntil(() => seen.log.length >= 5)
      assert.deepEqual(seen.log, ['session', 'api', 'api', 'api', 'api'])
      assert.ok(await run(tab, at('/orders')))
    }),
  )

  test(
    'no refresh token: the sign-in page, without a call; refused: the sign-in page, with the reason',
    visiting(async ({ context, seen, tab, email }) => {
      const thief = await visit(here.town, here.browser, { email, userAgent: windows })
      Object.assign(seen, { calls: 0, log: [] })
      await tab.goto(`${here.town.shop}/orders`)
      await until(tab, at('/sign-in'))
      assert.deepEqual(seen.log, ['session'])
      assert.equal(await run(tab, 'location.search'), '?return_to=/orders&reason=session_replaced')
      await thief.close()

      for (const name of ['munjigi-staff', 'munjigi-staff-hint']) await context.clearCookies({ name })
      seen.log = []
      await tab.goto(`${here.town.shop}/orders`)
      await until(tab, at('/sign-in'))
      assert.deepEqual(seen.log, [])
      assert.equal(await run(tab, 'location.search'), '?return_to=/orders')
    }),
  )
})
