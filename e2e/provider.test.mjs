// Munjigi as a client of an OpenID provider that nobody here wrote: the way in, and what happens to whom when somebody
// leaves.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Browser } from './browser.mjs'
import { startProvider } from './provider.mjs'
import { eventually, freePort, startMunjigi, Visitor } from './provider-munjigi.mjs'

const everySeconds = 2

describe('a provider that rotates refresh tokens', { timeout: 120_000 }, () => {
  /** @type {Awaited<ReturnType<typeof startProvider>>} */
  let provider
  /** @type {Awaited<ReturnType<typeof startMunjigi>>} */
  let munjigi

  before(async () => {
    const port = await freePort()
    provider = await startProvider({
      people: [
        ...['boss', 'kim', 'lee', 'park', 'choi', 'jung'].map((name) => ({ email: `${name}@example.com`, name })),
        { email: 'dev@example.com', name: 'Dev', groups: ['platform'] },
        { email: 'kim@example.org', name: 'Kim of elsewhere' },
        { email: 'unverified@example.com', name: 'Somebody', verified: false },
        { email: 'a@example.org@example.com', name: 'Two at' },
      ],
      redirectUris: [`http://127.0.0.1:${port}/sign-in/staff/callback`],
    })
    munjigi = await startMunjigi({ port, provider, recheck: `{every: ${everySeconds}s, max_stale: 4h}` })
  })
  after(async () => {
    await munjigi?.stop()
    await provider?.close()
  })

  const visitor = (name) => new Visitor(munjigi.url, `${name}@example.com`)

  test('a sign-in asks for consent once, where that is what a refresh token takes', async () => {
    const dev = await visitor('dev').signIn()
    const { status, account } = await dev.renew()
    assert.equal(status, 200)
    const { id, ...known } = account
    assert.ok(id)
    assert.deepEqual(known, { realm: 'staff', email: 'dev@example.com', name: 'Dev', roles: ['editor', 'viewer'] })
    assert.equal(
      (
        await visitor('dev')
          .signIn()
          .then((again) => again.renew())
      ).account.id,
      id,
    )
  })

  test('its refresh tokens are kept over many rechecks', async () => {
    const kim = await visitor('kim').signIn()
    const first = (await kim.whoAmI()).checked_at
    const before = provider.refreshed().length
    // A token that was presented twice would have ended the grant, and with it the session.
    await eventually(20_000, async () => {
      assert.ok(provider.refreshed().length - before >= 8, 'too few rechecks')
      assert.ok((await kim.whoAmI()).checked_at - first >= 3 * everySeconds)
    })
    assert.equal((await kim.renew()).status, 200)
  })

  /** @param {(email: string) => unknown} leave */
  const cutOff = async (name, leave) => {
    const person = await visitor(name).signIn()
    const first = (await person.whoAmI()).checked_at
    await eventually(10_000, async () => assert.notEqual((await person.whoAmI()).checked_at, first))
    await leave(person.email)
    const left = performance.now()
    await eventually(10_000, async () => assert.equal((await person.whoAmI()).code, 'session_cut_off'))
    const took = (performance.now() - left) / 1000
    assert.ok(took <= everySeconds + 1, `cut off after ${took.toFixed(1)} s, want ${everySeconds + 1}`)
    assert.equal((await person.renew()).code, 'session_cut_off')
    return took
  }

  test('a disabled account is cut off', async (t) => {
    t.diagnostic(`after ${(await cutOff('lee', provider.disable)).toFixed(2)} s`)
    const back = await visitor('lee').browser.follow(visitor('lee').signInAddress)
    assert.match(back.address, /\/sign-in\?reason=/)
    provider.enable('lee@example.com')
    await visitor('lee').signIn()
  })

  test('a revoked grant is cut off', async (t) => {
    t.diagnostic(`after ${(await cutOff('park', provider.revoke)).toFixed(2)} s`)
  })

  for (const email of ['kim@example.org', 'unverified@example.com', 'a@example.org@example.com']) {
    test(`${email} is not of the company`, async () => {
      const stranger = new Visitor(munjigi.url, email)
      const { address } = await stranger.browser.follow(stranger.signInAddress)
      assert.equal(new URL(address).searchParams.get('reason'), 'domain_refused')
      assert.equal(stranger.cookie, undefined)
    })
  }

  /** A callback that does not work leads to the sign-in page, without a session. */
  const refused = async (browser, address) => {
    const before = browser.cookies(munjigi.url)['munjigi-staff']
    const response = await browser.fetch(address)
    const location = response.headers.get('location') ?? ''
    await response.body?.cancel()
    assert.match(location, /\/sign-in\?reason=session_unknown/, `${response.status} ${location}`)
    assert.equal(browser.cookies(munjigi.url)['munjigi-staff'], before)
  }

  test('a callback works once', async () => {
    const choi = visitor('choi')
    // Past the consent, so that the callback is the one that begins a session.
    await choi.signIn()
    const again = visitor('choi')
    const address = await again.callback()
    const copy = again.browser.clone()
    await again.browser.follow(address)
    assert.ok(again.cookie)
    await refused(again.browser, address)
    await refused(copy, address)
    assert.equal((await again.renew()).status, 200, 'the replay must not hurt the session that it made')
  })

  test('a callback works in the browser that began it', async () => {
    const jung = visitor('jung')
    await refused(new Browser(), await jung.callback())
    const other = visitor('boss')
    await other.callback()
    await refused(other.browser, await jung.callback())
  })

  test('a callback of another provider is refused', async () => {
    for (const iss of ['https://accounts.google.com', `${provider.issuer}/`, '', undefined]) {
      const jung = visitor('jung')
      const address = new URL(await jung.callback())
      assert.equal(address.searchParams.get('iss'), provider.issuer)
      address.searchParams.delete('iss')
      if (iss !== undefined) {
        address.searchParams.set('iss', iss)
      }
      await refused(jung.browser, address.href)
    }
  })

  test('a callback with another state or code is refused', async () => {
    const jung = visitor('jung')
    const address = new URL(await jung.callback())
    const code = new URL(address)
    code.searchParams.set('code', 'x'.repeat(43))
    await refused(jung.browser, code.href)
    address.searchParams.set('state', 'x'.repeat(43))
    await refused(jung.browser, address.href)
  })

  test('the secret and the tokens stay out of the log', () => {
    assert.doesNotMatch(munjigi.log(), new RegExp(provider.clientSecret))
    assert.doesNotMatch(munjigi.log(), /mjr_[\w-]{20}/)
  })
})

describe('a provider that is silent for longer than max_stale', { timeout: 60_000 }, () => {
  test('renewals wait for it, and nobody is signed out', async () => {
    const port = await freePort()
    const redirectUris = [`http://127.0.0.1:${port}/sign-in/staff/callback`]
    const provider = await startProvider({ people: [{ email: 'kim@example.com', name: 'Kim' }], redirectUris })
    const munjigi = await startMunjigi({ port, provider, recheck: '{every: 1s, max_stale: 4s}' })
    try {
      const kim = await new Visitor(munjigi.url, 'kim@example.com').signIn()
      await provider.fail('down')
      await eventually(15_000, async () => assert.equal((await kim.renew()).code, 'upstream_unavailable'))
      const { status, code } = await kim.renew()
      assert.deepEqual({ status, code }, { status: 503, code: 'upstream_unavailable' })
      assert.equal((await kim.whoAmI()).status, 200, 'the session lives')
      await provider.fail('ok')
      await eventually(15_000, async () => assert.equal((await kim.renew()).status, 200))
    } finally {
      await munjigi.stop()
      await provider.close()
    }
  })
})
