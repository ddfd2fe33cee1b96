// The demo's shops as a member meets them: real Chromium, the real program, and every session call counted on the network.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { startDemo } from './browser-demo.mjs'
import { barriers, launch, overflow, pictureIn, visit } from './browser-page.mjs'

const sizes = [1, 4, 10, 25, 50, 100, 250, 500, 1000] // the steps of the slider
const [access, grace] = [60, 10] // seconds, of the demo's configuration
const often = { polling: 100 } // ms; not with every frame, which a busy machine may not paint
const patience = 120_000 // a thousand calls take a while where ten browsers share two cores
const phone =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1'

/** @type {import('./browser-demo.mjs').Demo} */
let demo
let browser
const texts = {}

before(async () => {
  for (const language of ['ko', 'en']) {
    const file = new URL(`../examples/vue-shop/src/locales/${language}.json`, import.meta.url)
    texts[language] = JSON.parse(await readFile(file, 'utf8'))
  }
  demo = await startDemo()
  browser = await launch()
})

after(async () => {
  await browser?.close()
  await demo?.stop()
})

/**
 * A browser of a test's own. `renewals` are the session calls of all its tabs, with their answers; `order` is who called,
 * in which order. Errors of script and breaches of the content policy end the test that made them.
 */
async function arrive(t, look) {
  const visitor = await visit(browser, look)
  const seen = { ...visitor, context: visitor.page.context(), renewals: [], order: [], generations: [] }
  seen.context.setDefaultTimeout(patience)
  seen.context.on('request', (request) => {
    const { origin, pathname } = new URL(request.url())
    if (request.method() === 'OPTIONS') return
    if (origin === demo.url && pathname === '/session' && request.method() === 'POST') {
      seen.renewals.push(request)
      seen.order.push('session')
    } else if (pathname.startsWith('/member/')) seen.order.push('part')
  })
  t.after(async () => {
    await seen.close()
    assert.deepEqual(seen.complaints, [], 'errors of script, or breaches of the content policy')
  })
  return seen
}

/** Signs in by the form on the shop's own page. Each test has a member of its own: who signs in elsewhere is signed out. */
async function signIn(page, n, path = '/?slow=0') {
  const { login, password } = demo.members[n]
  if (page.url() === 'about:blank') await page.goto(demo.shop + path)
  await page.locator('[name=login]').fill(login)
  await page.locator('[name=password]').fill(password)
  await page.locator('.fields button').click()
  await page.locator('.desk').waitFor()
}

/** Waits until every part has its answer; one that failed ends the wait. */
async function allThere(page, n) {
  const settled = await page.waitForFunction(
    (many) => {
      const count = (state) => document.querySelectorAll(`.part.${state}, .small.${state}`).length
      const [there, failed] = [count('there'), count('failed')]
      return (there === many || failed > 0) && { there, failed }
    },
    n,
    often,
  )
  assert.deepEqual(await settled.jsonValue(), { there: n, failed: 0 })
}

async function choose(page, n) {
  await page.locator('#size').fill(String(sizes.indexOf(n)))
}

async function runOut(page) {
  await page.locator('.expire').click()
  await page.locator('.clock.over').waitFor()
}

/** Waits until a renewal rotates, and does not bring the last answer again. */
function pastGrace(page) {
  return page.waitForFunction(
    (most) => {
      const [left] = /\d+/.exec(document.querySelector('.clock b')?.textContent ?? '') ?? ['0']
      return Number(left) < most
    },
    access - grace,
    often,
  )
}

const errors = (page) => page.locator('.errors-count dd').innerText()
const answers = (seen) => Promise.all(seen.renewals.map(async (it) => (await it.response()).json()))
const claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString())

describe('the shops', { concurrency: 2 }, () => {
  test('expired, and 1, 4, 100, 1000 parts at once: exactly 1 session call, all answered', async (t) => {
    const seen = await arrive(t)
    const { page, renewals } = seen
    await signIn(page, 0)
    await allThere(page, 4)
    assert.equal(renewals.length, 0, 'whoever has just signed in has a token')
    for (const n of [1, 4, 100, 1000]) {
      await choose(page, n)
      if (n === 1000) await pastGrace(page)
      await runOut(page)
      renewals.length = 0
      seen.order.length = 0
      await page.locator('.load').click()
      await allThere(page, n)
      assert.equal(renewals.length, 1, `${n} parts`)
      assert.equal(seen.order[0], 'session', 'the parts wait for it')
      assert.equal(seen.order.length, n + 1)
      assert.equal(await errors(page), '0')
      assert.equal(await page.locator('.renewals-count dd').innerText(), '1')
    }
    assert.deepEqual(seen.refusals, [])
  })

  test('wholesale and retail at once, on two origins: one rotation, and a token for each', async (t) => {
    const seen = await arrive(t)
    const retail = seen.page
    await signIn(retail, 2)
    const wholesale = await seen.context.newPage()
    await wholesale.goto(`${demo.wholesale}/?slow=0`)
    await allThere(wholesale, 4)
    assert.equal(await retail.locator('.part.wanted').count(), 0)
    await wholesale.locator('.part.wanted').waitFor()
    await wholesale.locator('.part.product .chip', { hasText: texts.en.part.trade }).waitFor()
    const [{ session: before }] = (await answers(seen)).slice(-1)
    await Promise.all([retail, wholesale].map(pastGrace))
    await Promise.all([retail, wholesale].map(runOut))
    seen.renewals.length = 0
    await Promise.all([retail, wholesale].map((page) => page.locator('.load').click()))
    await Promise.all([retail, wholesale].map((page) => allThere(page, 4)))
    assert.equal(seen.renewals.length, 2, 'one for each origin')
    const both = await answers(seen)
    assert.deepEqual(
      both.map(({ session }) => [session.id, session.generation]),
      Array(2).fill([before.id, before.generation + 1]),
    )
    const audiences = both
      .map(({ access_token }) => claims(access_token))
      .map(({ client_id, aud }) => `${client_id}: ${aud}`)
    assert.deepEqual(audiences.sort(), ['shop: market', 'wholesale: market,wishlist'])
  })

  test('the guard alone: one session call before any part; without a refresh token the sign-in page, and no call', async (t) => {
    const seen = await arrive(t)
    await signIn(seen.page, 3)
    await seen.page.close() // nobody is left who has a token in memory
    seen.order.length = 0
    const page = await seen.context.newPage()
    await page.goto(`${demo.shop}/?slow=0&n=100`)
    await allThere(page, 100)
    assert.deepEqual(seen.order, ['session', ...Array(100).fill('part')])
    await page.goto(`${demo.shop}/devices`)
    await page.locator('.devices li', { hasText: 'Chrome on Linux' }).waitFor()
    seen.order.length = 0
    await seen.context.clearCookies()
    await page.goto(`${demo.shop}/devices`)
    await page.locator('.fields').waitFor()
    assert.equal(new URL(page.url()).searchParams.get('return_to'), '/devices')
    assert.deepEqual(seen.order, [])
    await page.locator('[name=login]').fill(demo.members[3].login)
    await page.locator('[name=password]').fill('not the password of anybody')
    await page.locator('.fields button').click()
    assert.equal(await page.locator('.bad').innerText(), texts.en.code.credentials_wrong)
    await page.locator('[name=password]').fill(demo.members[3].password)
    await page.locator('.fields button').click()
    await page.locator('.devices li').waitFor()
  })

  test('Munjigi’s own sign-in page leads back to where one was', async (t) => {
    const seen = await arrive(t)
    const { page } = seen
    await page.goto(`${demo.shop}/devices?slow=0`)
    await page.locator('.there').click()
    await page.waitForURL(`${demo.url}/sign-in/members?**`)
    await page.locator('[name=login]').fill(demo.members[1].login)
    await page.locator('[name=password]').fill(demo.members[1].password)
    await page.locator('form button[type=submit]').click()
    await page.waitForURL(`${demo.shop}/devices?slow=0`)
    await page.locator('.devices li').waitFor()
    assert.deepEqual(seen.order, ['session'], 'the guard asks once for a token of this page')
  })

  test('displaced by another browser, and told once: the demo’s own, in Korean', async (t) => {
    const { page } = await arrive(t, { language: 'ko' })
    await signIn(page, 4)
    await allThere(page, 4)
    await page.locator('.elsewhere').click()
    await page.locator('.reason').waitFor()
    assert.match(
      await page.locator('.reason').innerText(),
      /^오(전|후) \d+:\d\d에 다른 기기\(Windows의 Edge\)에서 이 계정으로 로그인하여 여기서는 로그아웃되었습니다/,
    )
    assert.equal(await page.getByText(/다른 기기\(/).count(), 1)
    const took = /(\d+\.\d\d)초 뒤에/.exec(await page.locator('.ended .note').innerText())
    assert.ok(Number(took?.[1]) <= 2, `the market knew after ${took?.[1]} s`)
    // Signed in again, the sentence is gone, and the other one is out.
    await signIn(page, 4)
    assert.equal(await page.locator('.reason').count(), 0)
    await page.locator('.plain', { hasText: texts.ko.nav.signOut }).click()
    assert.equal(await page.locator('.reason').innerText(), texts.ko.code.session_signed_out)
  })

  test('displaced by another browser, and told once: a real one, in English', async (t) => {
    const { page } = await arrive(t)
    await signIn(page, 5)
    await allThere(page, 4)
    const other = await browser.newContext({ userAgent: phone, locale: 'en-US' })
    t.after(() => other.close())
    await signIn(await other.newPage(), 5)
    await page.locator('.load').click()
    // Within a second the market knows; whoever calls before that is let in.
    const told = page.locator('.reason')
    await page.waitForFunction(
      () => {
        if (!document.querySelector('.waiting')) document.querySelector('.load')?.click()
        return document.querySelector('.reason')
      },
      null,
      often,
    )
    assert.match(
      await told.innerText(),
      /^This account signed in on another device \(Safari on iOS\) at \d+:\d\d [AP]M, so you were signed out here\./,
    )
    assert.equal(await page.getByText(/Safari on iOS/).count(), 1)
    assert.equal(new URL(page.url()).pathname, '/sign-in')
  })

  test('10 tabs × 100 parts: 1 session call', async (t) => {
    const seen = await arrive(t)
    await signIn(seen.page, 1)
    await choose(seen.page, 100)
    const tabs = [seen.page]
    while (tabs.length < 10) {
      const tab = await seen.context.newPage()
      await tab.goto(`${demo.shop}/?slow=0`)
      tabs.push(tab)
    }
    await Promise.all(tabs.map((tab) => allThere(tab, 4)))
    await seen.page.locator('.load-all', { hasText: '10' }).waitFor()
    await runOut(seen.page)
    await Promise.all(tabs.map((tab) => tab.locator('.clock.over').waitFor()))
    seen.renewals.length = 0
    seen.order.length = 0
    await seen.page.locator('.load-all').click()
    await Promise.all(tabs.map((tab) => allThere(tab, 100)))
    assert.equal(seen.renewals.length, 1)
    assert.deepEqual(seen.order, ['session', ...Array(1000).fill('part')])
    for (const tab of tabs) assert.equal(await errors(tab), '0')
    // Each tab shows what happened in all of them.
    for (const count of ['.parts-count dd:text-is("1,000")', '.renewals-count dd:text-is("1")'])
      for (const tab of tabs) await tab.locator(count).waitFor()
  })
})

const looks = [
  { language: 'ko', theme: 'light', width: 1440 },
  { language: 'ko', theme: 'dark', width: 360 },
  { language: 'en', theme: 'dark', width: 1440 },
  { language: 'en', theme: 'light', width: 360 },
]

describe('nothing stands in anybody’s way', { concurrency: 2 }, () => {
  looks.forEach((look, n) => {
    const name = `${look.language}-${look.theme}-${look.width}`

    test(name, async (t) => {
      const { page } = await arrive(t, look)
      async function judge(screen) {
        await pictureIn('shop', page, `${screen}-${name}`)
        assert.deepEqual(await barriers(page), [], screen)
        assert.ok((await overflow(page)) <= 0, `${screen} is wider than the screen`)
      }
      await page.goto(`${demo.shop}/?n=100`)
      await page.locator('.fields').waitFor()
      await judge('sign-in')
      await signIn(page, n)
      await allThere(page, 100)
      await runOut(page)
      await page.locator('.load').click()
      await page.locator('.renewals-count.one').waitFor()
      await pictureIn('shop', page, `waiting-${name}`) // slow motion is on
      await allThere(page, 100)
      await judge('loaded')
      await page.goto(`${demo.wholesale}/?slow=0&n=10`)
      await allThere(page, 10)
      await judge('wholesale')
      await page.goto(`${demo.shop}/devices`)
      await page.locator('.devices li').waitFor()
      await judge('devices')
      await page.goto(`${demo.shop}/?slow=0`)
      await page.locator('.elsewhere').click()
      await page.locator('.reason').waitFor()
      await judge('displaced')
    })
  })
})
