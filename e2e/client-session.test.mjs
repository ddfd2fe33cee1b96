// The browser client in real Chromium, against a real Munjigi: how many session calls there are, and who notices.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { startDemo } from './browser-demo.mjs'
import { launch } from './browser-page.mjs'

const script = await readFile(new URL('../packages/client/dist/munjigi-client.iife.js', import.meta.url), 'utf8')
const viewer = 'viewer@example.com'
const editor = 'editor@example.com'
const hour = 3_600_000

let demo
let browser

before(async () => {
  demo = await startDemo()
  browser = await launch()
})

after(async () => {
  await browser?.close()
  await demo?.stop()
})

/**
 * A browser signed in to Munjigi, with pages of its own origin that have the client and a service to call. `renewals` are
 * the session calls seen; `answer` takes the place of the way to Munjigi.
 */
async function visit(email = viewer) {
  const context = await browser.newContext()
  const seen = { renewals: 0, sent: [], answer: (route) => route.continue() }
  await context.route(`${demo.url}/client-test/**`, (route) => {
    const { pathname } = new URL(route.request().url())
    if (pathname.endsWith('/client.js')) return route.fulfill({ contentType: 'text/javascript', body: script })
    if (pathname.includes('/api')) return service(seen, route)
    return route.fulfill({ contentType: 'text/html', body: page })
  })
  await context.route(`${demo.url}/session`, (route) => {
    if (route.request().method() !== 'POST') return route.continue()
    seen.renewals++
    return seen.answer(route)
  })
  const first = await context.newPage()
  await signIn(first, email)
  return { context, seen, first, open: () => open(context), close: () => context.close() }
}

// Refuses whatever bears no token, and keeps who called.
function service(seen, route) {
  const token = /^Bearer (.+)$/.exec(route.request().headers().authorization ?? '')?.[1]
  if (!token) return route.fulfill({ status: 401, json: { code: 'token_missing' } })
  const { email } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString())
  seen.sent.push(email)
  return route.fulfill({ json: { email } })
}

// `ahead` sets the page's clock: that is how a token runs out at once.
const page = `<!doctype html><title>client</title><script src="/client-test/client.js"></script><script>
  let ahead = 0
  const session = Munjigi.createSession({ url: location.origin, app: 'staff-tools', realm: 'staff', now: () => Date.now() + ahead })
  const events = []
  for (const event of ['signed-in', 'signed-out', 'changed', 'unreachable', 'recovered']) session.on(event, () => events.push(event))
  const call = (i) => session.fetch('/client-test/api/' + i).then((it) => it.status, (error) => error.code ?? error.name)
  async function calls(n) {
    const counts = {}
    for (const it of await Promise.all(Array.from({ length: n }, (_, i) => call(i)))) counts[it] = (counts[it] ?? 0) + 1
    return counts
  }
</script>`

async function signIn(tab, email) {
  await tab.goto(`${demo.url}/sign-in/staff?app=staff-tools&return_to=/client-test/&login_hint=${email}`)
  const person = tab.locator('button, a').filter({ hasText: email }).first()
  if (new URL(tab.url()).pathname !== '/client-test/') await person.click()
  await tab.waitForURL((url) => url.pathname === '/client-test/')
  await tab.goto(`${demo.url}/client-test/`) // what a redirect leads to cannot be routed
}

async function open(context) {
  const tab = await context.newPage()
  await tab.goto(`${demo.url}/client-test/`)
  return tab
}

/** Signed in, with a token that this page takes for expired. */
async function expired(tab) {
  await tab.evaluate('session.ready()')
  await tab.evaluate(`ahead += ${hour}`)
}

const run = (tab, code) => tab.evaluate(code)
const status = (tab) => run(tab, 'session.state.status')

describe('expired, and called at once', () => {
  for (const n of [1, 4, 100, 1000]) {
    test(`N=${n} parallel calls: exactly 1 refresh, N successes`, async () => {
      const { seen, first, close } = await visit()
      await expired(first)
      seen.renewals = 0
      assert.deepEqual(await run(first, `calls(${n})`), { 200: n })
      assert.equal(seen.renewals, 1)
      await close()
    })
  }

  test('10 tabs × 100: 1 refresh', async () => {
    const { seen, first, open, close } = await visit()
    const tabs = [first, ...(await Promise.all(Array.from({ length: 9 }, open)))]
    await Promise.all(tabs.map(expired))
    seen.renewals = 0
    const counts = await Promise.all(tabs.map((tab) => run(tab, 'calls(100)')))
    assert.deepEqual(counts, Array(10).fill({ 200: 100 }))
    assert.equal(seen.renewals, 1)
    await close()
  })

  test('reload ×6 during refresh: session kept, one rotation', async () => {
    const { context, seen, first, close } = await visit()
    await run(first, 'session.ready()')
    const generation = async () => {
      const cookies = await context.cookies()
      return Number(cookies.find(({ name }) => name === 'munjigi-staff-hint')?.value.split('.')[1])
    }
    const before = await generation()
    // Long enough after the sign-in for the next renewal to rotate.
    await new Promise((resolve) => setTimeout(resolve, 11_000))
    seen.renewals = 0
    for (let n = 0; n < 6; n++) {
      const asked = first.waitForRequest(`${demo.url}/session`)
      await first.reload({ waitUntil: 'commit' })
      await first.waitForFunction("typeof calls === 'function'")
      await first.evaluate('void calls(10)')
      await asked
    }
    assert.deepEqual(await run(first, 'calls(20)'), { 200: 20 })
    assert.ok(seen.renewals <= 7, `${seen.renewals} session calls`)
    assert.equal(await generation(), before + 1)
    await close()
  })
})

describe('the way to Munjigi', () => {
  test('lost response: all succeed', async () => {
    const { seen, first, close } = await visit()
    await expired(first)
    seen.renewals = 0
    seen.answer = async (route) => {
      seen.answer = (next) => next.continue()
      await route.fetch() // it arrives, and its answer does not
      return route.abort('connectionreset')
    }
    assert.deepEqual(await run(first, 'calls(100)'), { 200: 100 })
    assert.equal(seen.renewals, 2)
    await close()
  })

  for (const [name, answer, code, most] of [
    ['500', (route) => route.fulfill({ status: 500 }), 'E_SERVER', 1],
    ['429', (route) => route.fulfill({ status: 429 }), 'E_RATE_LIMITED', 1],
    ['a portal', (route) => route.fulfill({ contentType: 'text/html', body: 'Welcome' }), 'E_BAD_RESPONSE', 1],
    ['no connection', (route) => route.abort('connectionrefused'), 'E_NETWORK', 3],
    ['hanging', () => {}, 'E_TIMEOUT', 1],
  ]) {
    test(`refresh ${name} with 100 waiters: 1 attempt series, 100 same errors, state unreachable, no signed-out`, async () => {
      const { seen, first, close } = await visit()
      await expired(first)
      Object.assign(seen, { renewals: 0, answer })
      assert.deepEqual(await run(first, 'calls(100)'), { [code]: 100 })
      assert.equal(seen.renewals, most)
      assert.equal(await status(first), 'unreachable')
      assert.ok(!(await run(first, 'events')).includes('signed-out'))
      seen.answer = (route) => route.continue()
      await run(first, 'session.renew({ force: true })')
      assert.deepEqual(await run(first, 'calls(10)'), { 200: 10 })
      await close()
    })
  }

  test('offline: E_OFFLINE at once, 1 refresh when online again, no signed-out', async () => {
    const { context, seen, first, close } = await visit()
    await expired(first)
    seen.renewals = 0
    await context.setOffline(true)
    assert.deepEqual(await run(first, 'calls(100)'), { E_OFFLINE: 100 })
    assert.equal(seen.renewals, 0)
    await context.setOffline(false)
    await first.waitForFunction("session.state.status === 'active'")
    assert.deepEqual(await run(first, 'calls(100)'), { 200: 100 })
    assert.equal(seen.renewals, 1)
    assert.ok(!(await run(first, 'events')).includes('signed-out'))
    await close()
  })
})

describe('other tabs', () => {
  test('logout in A: B anonymous', async () => {
    const { first, open, close } = await visit()
    const other = await open()
    await Promise.all([first, other].map((tab) => run(tab, 'session.ready()')))
    await run(first, 'session.signOut()')
    await other.waitForFunction("session.state.status === 'anonymous'")
    assert.equal(await run(other, 'session.state.end.reason'), 'session_signed_out')
    assert.equal((await run(other, 'session.ready()')).status, 'anonymous')
    await close()
  })

  test('login as other user in A: B emits changed, and sends nothing of the one as the other', async () => {
    const { seen, first, open, close } = await visit()
    const other = await open()
    await expired(other)
    await signIn(first, editor)
    seen.sent = []
    // What waits for the renewal was asked for by the viewer.
    const waiting = run(other, 'calls(20)')
    assert.deepEqual(await waiting, { E_SESSION_CHANGED: 20 })
    assert.ok((await run(other, 'events')).includes('changed'))
    assert.deepEqual(seen.sent, [])
    assert.equal(await run(other, 'session.state.account.email'), editor)
    await close()
  })
})
