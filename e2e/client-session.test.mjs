// The browser client in real Chromium, against a real Munjigi: how many session calls there are, and who notices.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { expired, graceMs, respond, rounds, run, signIn, until } from './client-town.mjs'
import { seenUntil, visitors } from './client-visitors.mjs'

const here = visitors()
const { again, atEase, visiting } = here

describe('expired, and called at once', () => {
  for (const [way, sizes] of /** @type {const} */ ([
    ['fetch', [1, 4, 100, 1000]],
    ['axios', [4, 100, 1000]],
  ]))
    for (const n of sizes)
      test(
        `N=${n} parallel calls by ${way}: exactly 1 refresh, N successes`,
        atEase(async ({ seen, tab }) => {
          await expired(tab)
          seen.calls = 0
          assert.deepEqual(await run(tab, `calls(${n}, '${way}')`), { 200: n })
          assert.equal(seen.calls, 1)
        }),
      )

  test(
    `10 tabs × 100: 1 refresh, ${rounds} times`,
    visiting(async ({ seen, tab, open }) => {
      const tabs = [tab, ...(await Promise.all(Array.from({ length: 9 }, () => open())))]
      for (let n = 0; n < rounds; n++) {
        await Promise.all(tabs.map((it) => run(it, 'session.ready()')))
        await Promise.all(tabs.map(expired))
        seen.calls = 0
        const counts = await Promise.all(tabs.map((it) => run(it, 'calls(100)')))
        assert.deepEqual(counts, Array(10).fill({ 200: 100 }))
        assert.equal(seen.calls, 1)
      }
    }),
  )

  test(
    `reload ×6 during refresh: one rotation, at most one session call a page, session kept, ${rounds} times`,
    again(async ({ seen, tab, generation }) => {
      await run(tab, 'session.ready()')
      const before = await generation()
      await sleep(graceMs + 200)
      seen.calls = 0
      const begun = performance.now()
      for (let n = 0; n < 6; n++) {
        const at = seen.calls
        await tab.reload({ waitUntil: 'commit' })
        await until(tab, "typeof calls === 'function'")
        await run(tab, 'void calls(10)')
        await seenUntil(() => seen.calls > at)
      }
      assert.deepEqual(await run(tab, 'calls(20)'), { 200: 20 })
      assert.ok(seen.calls <= 7, `${seen.calls} session calls`)
      // A machine so busy that this takes longer than the grace rotates once more.
      const most = Math.ceil((performance.now() - begun) / graceMs)
      const rotations = (await generation()) - before
      assert.ok(rotations >= 1 && rotations <= most, `${rotations} rotations, at most ${most}`)
    }),
  )

  for (const missing of ['locks', 'channel', 'storage', 'locks,channel,storage'])
    test(
      `no ${missing}: ≤ tabs refreshes, all succeed`,
      atEase(async ({ seen, open, tab }) => {
        await run(tab, 'session.dispose()')
        const tabs = await Promise.all([1, 2, 3].map(() => open(`${here.town.shop}/?without=${missing}`)))
        await Promise.all(tabs.map(expired))
        seen.calls = 0
        const counts = await Promise.all(tabs.map((it) => run(it, 'calls(20)')))
        assert.deepEqual(counts, Array(3).fill({ 200: 20 }))
        assert.ok(seen.calls <= (missing === 'storage' ? 1 : 3), `${seen.calls} session calls`)
      }),
    )
})

describe('the way to Munjigi', () => {
  test(
    'lost response: all succeed',
    atEase(async ({ seen, tab }) => {
      await expired(tab)
      seen.calls = 0
      seen.answer = (_req, _res, on) => {
        seen.answer = undefined
        on(true)
      }
      assert.deepEqual(await run(tab, 'calls(100)'), { 200: 100 })
      assert.equal(seen.calls, 2)
    }),
  )

  for (const [name, answer, code, most] of /** @type {const} */ ([
    ['500', (req, res) => respond(res, req, 500), 'E_SERVER', 1],
    ['429', (req, res) => respond(res, req, 429), 'E_RATE_LIMITED', 1],
    ['a portal', (req, res) => respond(res, req, 200, 'Welcome'), 'E_BAD_RESPONSE', 1],
    ['a way to a sign-in page', (_req, res) => res.writeHead(302, { location: '/login' }).end(), 'E_NETWORK', 3],
    ['no connection', (_req, res) => res.destroy(), 'E_NETWORK', 3],
    ['hanging', () => {}, 'E_TIMEOUT', 1],
  ]))
    test(
      `refresh ${name} with 100 waiters: 1 attempt series, 100 same errors, state unreachable, no signed-out`,
      atEase(async ({ seen, tab }) => {
        await expired(tab)
        Object.assign(seen, { calls: 0, answer })
        const begun = performance.now()
        assert.deepEqual(await run(tab, "calls(100, 'fetch', 'axios')"), { [code]: 100 })
        // Chromium sends a request once more by itself when a connection that it kept turns out to be gone.
        assert.ok(seen.calls >= 1 && seen.calls <= (code === 'E_NETWORK' ? 2 * most : most), `${seen.calls} calls`)
        assert.ok(performance.now() - begun < 14_000)
        assert.equal(await run(tab, 'session.state.status'), 'unreachable')
        assert.equal(await run(tab, 'session.state.error.code'), code)
        assert.deepEqual(await run(tab, "[heard('signed-out').length, heard('unreachable').length]"), [0, 1])
        seen.answer = undefined
        await run(tab, 'session.renew({ force: true }).then(() => {})')
        assert.deepEqual(await run(tab, 'calls(10)'), { 200: 10 })
      }),
    )

  test(
    'offline: E_OFFLINE at once, 1 refresh when online again, no signed-out',
    atEase(async ({ context, seen, tab }) => {
      await expired(tab)
      seen.calls = 0
      await context.setOffline(true)
      assert.deepEqual(await run(tab, 'calls(100)'), { E_OFFLINE: 100 })
      assert.equal(seen.calls, 0)
      await context.setOffline(false)
      await until(tab, "session.state.status === 'active'")
      assert.deepEqual(await run(tab, 'calls(100)'), { 200: 100 })
      assert.equal(seen.calls, 1)
      assert.equal(await run(tab, "heard('signed-out').length"), 0)
    }),
  )
})

describe('other tabs', () => {
  test(
    `logout in A: B anonymous, ${rounds} times`,
    again(async ({ seen, tab, open }) => {
      const other = await open()
      await Promise.all([tab, other].map((it) => run(it, 'session.ready()')))
      await run(tab, 'session.signOut()')
      await until(other, "session.state.status === 'anonymous'")
      assert.equal(await run(other, 'session.state.end.reason'), 'session_signed_out')
      assert.equal(await run(other, "heard('signed-out').length"), 1)
      seen.calls = 0
      assert.deepEqual(await run(other, 'calls(10)'), { 401: 10 })
      assert.equal(seen.calls, 0)
    }),
  )

  test(
    `login as other user in A: B emits changed, and sends nothing of the one as the other, ${rounds} times`,
    again(async ({ seen, tab, open, email }) => {
      const other = await open()
      await expired(other)
      const second = here.town.stranger()
      // Nobody tells the other tab: the new page has not begun to call.
      await signIn(here.town, tab, second)
      seen.emails = []
      // What waits for the renewal was asked for by the first.
      assert.deepEqual(await run(other, "calls(20, 'fetch', 'axios')"), { E_SESSION_CHANGED: 20 })
      assert.equal(await run(other, "heard('changed').length"), 1)
      assert.deepEqual(seen.emails, [])
      assert.equal(await run(other, 'session.state.account.email'), second)
      assert.deepEqual(await run(other, 'calls(3)'), { 200: 3 })
      assert.ok(!seen.emails.includes(email))
    }),
  )
})
