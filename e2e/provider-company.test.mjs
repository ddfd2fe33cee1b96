// A company of two hundred, its provider failing in every way that we know, and then fifteen people gone at once.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { faultModes, startProvider } from './provider.mjs'
import { eventually, freePort, pool, startMunjigi, Visitor } from './provider-munjigi.mjs'

const everySeconds = 5
const emails = ['boss@example.com', ...Array.from({ length: 199 }, (_, i) => `p${i + 1}@example.com`)]

describe('two hundred people', { timeout: 300_000 }, () => {
  /** @type {Awaited<ReturnType<typeof startProvider>>} */
  let provider
  /** @type {Awaited<ReturnType<typeof startMunjigi>>} */
  let munjigi
  /** @type {Visitor[]} */
  let people

  before(async () => {
    const port = await freePort()
    provider = await startProvider({
      people: emails.map((email) => ({ email, name: email.split('@', 1)[0] })),
      redirectUris: [`http://127.0.0.1:${port}/sign-in/staff/callback`],
      offlineAlways: true,
    })
    const recheck = `{every: ${everySeconds}s, max_stale: 4h, wave: {share: 5%, at_least: 10}}`
    munjigi = await startMunjigi({ port, provider, recheck })
    people = await pool(8, emails, (email) => new Visitor(munjigi.url, email).signIn())
  })
  after(async () => {
    await munjigi?.stop()
    await provider?.close()
  })

  /** Everybody whose session lives, by what the administrator sees. */
  const signedIn = async () => {
    const found = []
    let next = ''
    do {
      const page = await people[0].admin('GET', `/sessions?limit=200&after=${encodeURIComponent(next)}`)
      assert.equal(page.status, 200, JSON.stringify(page))
      found.push(...page.sessions)
      next = page.next
    } while (next)
    return found
  }

  const confirmedSince = async (at) => {
    const late = (await signedIn()).filter(({ checked_at }) => checked_at < at)
    assert.equal(late.length, 0, `${late.length} people were not asked about since`)
  }

  test('all of them are asked about in time', async () => {
    const now = Math.floor(Date.now() / 1000)
    await eventually(6 * everySeconds * 1000, () => confirmedSince(now)) // a busy machine is given room
    assert.equal((await signedIn()).length, emails.length)
  })

  for (const mode of faultModes) {
    test(`an outage (${mode}) over two intervals signs nobody out`, async () => {
      await provider.fail(mode)
      await sleep(2 * everySeconds * 1000)
      assert.equal((await signedIn()).length, emails.length)
      assert.equal((await people[7].renew()).status, 200, 'renewals go on')
      await provider.fail('ok')
      const back = Date.now()
      // Back by itself. How fast it catches up is looked at once, after the last outage.
      await eventually(15_000, async () => assert.ok(provider.refreshed().some(({ at }) => at > back)))
      assert.equal((await signedIn()).length, emails.length)
    })
  }

  test('after the outages everybody is asked about again, gently, and renewals work', async () => {
    const back = Date.now()
    await eventually(60_000, () => confirmedSince(Math.floor(back / 1000)))
    const times = provider.refreshed().map(({ at }) => at)
    // Ten a second as they leave us, where two hundred would be due at once; on a busy machine some arrive together.
    const within = 3
    const busiest = times
      .filter((from) => from >= back && from < back + 5000)
      .map((from) => times.filter((at) => at >= from && at < from + within * 1000).length)
    assert.ok(Math.max(0, ...busiest) <= within * 10 + 15, `${Math.max(...busiest)} questions within ${within} s`)
    const answers = await pool(8, people, (person) => person.renew())
    assert.deepEqual(
      answers.filter(({ status }) => status !== 200),
      [],
    )
  })

  test('fifteen gone at once stop, and an administrator is asked', async () => {
    const gone = emails.slice(20, 35)
    for (const email of gone) {
      provider.disable(email)
    }
    const wave = await eventually(30_000, async () => {
      const { waves } = await people[0].admin('GET', '/waves')
      assert.equal(waves.length, 1)
      assert.equal(waves[0].held.length, 5)
      return waves[0]
    })
    assert.equal(wave.provider, provider.issuer)
    // 5 % of 200 are ten: the eleventh was too many.
    assert.equal((await signedIn()).length, emails.length - 10)
    await sleep(2 * everySeconds * 1000)
    assert.equal((await signedIn()).length, emails.length - 10)
    const held = people.find(({ email }) => email === wave.held[0].email)
    assert.equal((await held?.renew())?.status, 200, 'who is held goes on')
    assert.equal((await people[1].admin('POST', '/waves/confirm', { provider: provider.issuer })).code, 'role_missing')
    assert.ok((await people[0].admin('POST', '/waves/confirm', { provider: provider.issuer })).status < 300)
    assert.equal((await held?.renew())?.code, 'session_cut_off')
    assert.deepEqual((await people[0].admin('GET', '/waves')).waves, [])
    const left = (await signedIn()).map(({ account }) => account.email).sort()
    assert.deepEqual(left, emails.filter((email) => !gone.includes(email)).sort())
  })
})
