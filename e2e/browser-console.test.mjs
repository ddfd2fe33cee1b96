// The console as a person meets it: real Chromium, the real program, the demo's company.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, afterEach, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { startDemo } from './browser-demo.mjs'
import { barriers, launch, overflow, picture, soak, visit } from './browser-page.mjs'

/** @typedef {import('./browser-page.mjs').Visitor} Visitor */

/** @type {Awaited<ReturnType<typeof startDemo>>} */
let demo
/** @type {import('playwright-core').Browser} */
let browser
/** @type {Visitor[]} */
let visitors = []
/** @type {Record<string, any>} */
const texts = {}

const boss = 'boss@example.com'
const viewer = 'viewer@example.com'
// A revoked person is moved within one look of a visible page (10 s), here with room for a slow machine.
const movedWithin = 25_000

before(async () => {
  for (const language of ['ko', 'en']) {
    const file = new URL(`../console/src/locales/${language}.json`, import.meta.url)
    texts[language] = JSON.parse(await readFile(file, 'utf8'))
  }
  demo = await startDemo()
  browser = await launch()
})

afterEach(async () => {
  const all = visitors
  visitors = []
  for (const visitor of all) await visitor.close()
  assert.deepEqual(
    all.flatMap(({ complaints }) => complaints),
    [],
    'errors of script, or breaches of the content policy',
  )
})

after(async () => {
  await browser?.close()
  await demo?.stop()
})

/** @param {Parameters<typeof visit>[1]} [look] */
async function arrive(look) {
  const visitor = await visit(browser, look)
  visitors.push(visitor)
  return visitor
}

/**
 * From the sign-in page through the provider's page of people and back.
 * @param {Visitor} visitor
 * @param {string} email
 * @param {string} path where one wanted to go
 */
async function signIn({ page }, email, path = '/') {
  await page.goto(demo.url + path)
  await page.locator('.sign-in-way').click()
  await page.waitForURL(`${demo.provider}/**`)
  await page.locator('a', { hasText: email }).first().click()
  await page.waitForURL((url) => url.origin === demo.url && url.pathname === path)
  await page.locator('.account-button').waitFor()
}

/**
 * Waits for the sign-in page and gives the reason that it shows.
 * @param {Visitor} visitor
 */
async function reasonShown({ page }) {
  await page.waitForURL((url) => url.pathname === '/sign-in', { timeout: movedWithin })
  return page.locator('.sign-in-reason p').first().innerText()
}

/** @param {Visitor} visitor */
function dialog({ page }) {
  return page.getByRole('dialog')
}

describe('signing in', () => {
  test('leads through the provider and back to where one wanted to go', async () => {
    const visitor = await arrive()
    await signIn(visitor, boss, '/account')
    const { page } = visitor
    await page.locator('.who', { hasText: boss }).waitFor()
    await page.locator('.device.current', { hasText: 'Chrome on Linux' }).waitFor()
    await page.locator('.who-facts time').first().waitFor() // when the company last confirmed
    await page.reload()
    await page.locator('.device.current').waitFor()
    assert.deepEqual(visitor.refusals, [])
  })

  test('the access token is nowhere but in memory', async () => {
    const visitor = await arrive()
    await signIn(visitor, boss)
    const kept = await visitor.page.evaluate(() =>
      JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href]),
    )
    assert.doesNotMatch(kept, /eyJ|mjr_/)
  })

  test('of another company is refused, with the reason and no session', async () => {
    const visitor = await arrive()
    const { page } = visitor
    await page.goto(demo.url)
    await page.locator('.sign-in-way').click()
    await page.waitForURL(`${demo.provider}/**`)
    await page.locator('a', { hasText: 'visitor@elsewhere.test' }).first().click()
    assert.equal(await reasonShown(visitor), texts.en.code.domain_refused)
    assert.equal(await page.evaluate(() => document.cookie), '')
  })

  test('shows no reason that it does not know, and leads to no other host', async () => {
    const { page } = await arrive()
    for (const query of ['reason=you+won+%3Cb%3Ea+prize', 'reason=constructor', 'reason=Session_revoked']) {
      await page.goto(`${demo.url}/sign-in?${query}&return_to=//evil.example/`)
      await page.locator('.sign-in-way').waitFor()
      assert.equal(await page.locator('.sign-in-reason').count(), 0)
      const way = new URL((await page.locator('.sign-in-way').getAttribute('href')) ?? '', demo.url)
      assert.equal(way.searchParams.get('return_to'), '/')
    }
  })

  test('every code has its sentence there', async () => {
    const { page } = await arrive({ language: 'ko' })
    for (const code of ['session_cut_off', 'session_reused', 'upstream_unavailable', 'internal']) {
      await page.goto(`${demo.url}/sign-in?reason=${code}`)
      assert.equal(await page.locator('.sign-in-reason p').first().innerText(), texts.ko.code[code])
    }
  })
})

describe('the end of a session is told, with its reason', () => {
  test('ended from another browser of the same person', async () => {
    const [first, second] = [await arrive(), await arrive()]
    await signIn(first, viewer, '/account')
    await signIn(second, viewer, '/account')
    const others = second.page.locator('.device:not(.current)')
    await others.first().locator('button').click()
    await dialog(second).locator('.el-button--danger').click()
    assert.equal(await reasonShown(first), texts.en.code.session_revoked)
    await others.first().waitFor({ state: 'detached' })
    // After signing in again one is where one was.
    await first.page.locator('.sign-in-way').click()
    await first.page.locator('a', { hasText: viewer }).first().click()
    await first.page.waitForURL(`${demo.url}/account`)
  })

  test('revoked by an administrator, who is asked first, by name', async () => {
    const [person, admin] = [await arrive({ language: 'ko' }), await arrive({ language: 'ko' })]
    await signIn(person, 'minjun@example.com')
    await signIn(admin, boss, '/people')
    await admin.page.locator('.people-search input').fill('minjun')
    const card = admin.page.locator('.person')
    await admin.page.waitForFunction(() => document.querySelectorAll('.person').length === 1)
    await card.locator('.person-head button').click()
    assert.match(await dialog(admin).innerText(), /김민준/)
    await dialog(admin).locator('.el-button--danger').click()
    assert.equal(await reasonShown(person), texts.ko.code.session_revoked)
    await admin.page.locator('.person').waitFor({ state: 'detached' })
    assert.match(await admin.page.locator('.state').innerText(), /minjun/)
  })

  test('left the company: cut off, with nobody doing anything', async () => {
    const visitor = await arrive()
    await signIn(visitor, 'hana@example.com')
    const left = await fetch(`${demo.provider}/people/hana@example.com/leave`, { method: 'POST' })
    assert.ok(left.ok, `leave: ${left.status}`)
    assert.equal(await reasonShown(visitor), texts.en.code.session_cut_off)
    assert.equal(new URL(visitor.page.url()).searchParams.get('reason'), 'session_cut_off')
  })

  test('signed out everywhere, here and in the other browser', async () => {
    const [first, second] = [await arrive(), await arrive()]
    await signIn(first, 'grace@example.com', '/account')
    await signIn(second, 'grace@example.com')
    await first.page.locator('.devices-head button').click()
    await dialog(first).locator('.el-button--danger').click()
    assert.equal(await reasonShown(first), texts.en.code.session_signed_out)
    // There it was not this browser that signed out.
    assert.equal(await reasonShown(second), texts.en.code.session_revoked)
    assert.equal(await first.page.evaluate(() => document.cookie), '')
  })

  test('out of reach of the server nobody is signed out', async () => {
    const visitor = await arrive()
    const { page } = visitor
    await signIn(visitor, boss, '/account')
    await page.locator('.device').first().waitFor()
    await page.context().setOffline(true)
    await page.locator('.banner.warn', { hasText: texts.en.state.bannerOffline }).waitFor()
    await page.context().setOffline(false)
    await page.locator('.banner.warn').waitFor({ state: 'detached' })

    let broken = true
    await page.route('**/session*', (route) =>
      broken
        ? route.fulfill({ status: 502, contentType: 'text/html', body: '<h1>Bad gateway</h1>' })
        : route.continue(),
    )
    await page.reload()
    await page.locator('.state', { hasText: texts.en.state.offlineTitle }).waitFor()
    // The press comes before the recovery: the page asks by itself as well, and would take the button away.
    const asked = page.waitForResponse((response) => response.status() === 502)
    await page.locator('.state button').click()
    await asked
    broken = false
    await page.locator('.device.current').waitFor()
    assert.equal(new URL(page.url()).pathname, '/account')
  })
})

test('who is no administrator sees why there is nothing', async () => {
  const visitor = await arrive()
  await signIn(visitor, viewer, '/people')
  const state = await visitor.page.locator('.state').innerText()
  assert.match(state, /administrator/)
  assert.match(state, /viewer/)
  await visitor.page.locator('.menu a[href="/account"]').waitFor()
  assert.equal(await visitor.page.locator('.menu a[href="/people"]').count(), 0)
})

test('a wave is shown, with its people, and waits for a decision', async () => {
  const visitor = await arrive()
  const { page } = visitor
  const held = Array.from({ length: 15 }, (_, i) => ({
    id: `id-${i}`,
    email: `p${i}@example.com`,
    name: `Person ${i}`,
  }))
  let waves = [
    { provider: 'https://accounts.example.com', since: Math.floor(Date.now() / 1000) - 120, people: 15, held },
  ]
  const decisions = /** @type {string[]} */ ([])
  await page.route('**/admin/waves', (route) => route.fulfill({ json: { waves } }))
  await page.route('**/admin/waves/*', (route) => {
    decisions.push(`${new URL(route.request().url()).pathname} ${route.request().postData()}`)
    waves = []
    return route.fulfill({ status: 204 })
  })
  await signIn(visitor, boss, '/people')
  const wave = page.locator('.wave')
  assert.match(await wave.innerText(), /accounts\.example\.com reports 15 people gone.*they have not been cut off/)
  await wave.locator('.wave-toggle').click()
  assert.equal(await wave.locator('.wave-people li').count(), 15)
  assert.deepEqual(await barriers(page), [])
  await picture(page, 'wave-en-light-1440')
  await wave.locator('.el-button--danger').click()
  assert.match(await dialog(visitor).innerText(), /Cut off 15 people\?.*Person 0, .* and 10 more/s)
  assert.deepEqual(decisions, [], 'nothing is decided before it is confirmed')
  await dialog(visitor).locator('.el-button--danger').click()
  await wave.waitFor({ state: 'detached' })
  assert.deepEqual(decisions, ['/admin/waves/confirm {"provider":"https://accounts.example.com"}'])
})

test('whole flows go by keyboard', async () => {
  const visitor = await arrive()
  await signIn(visitor, boss, '/account')
  const { page } = visitor
  await page.locator('.devices-head button').waitFor()
  await page.reload()
  await page.locator('.device.current').waitFor()
  await page.keyboard.press('Tab')
  assert.equal(await page.evaluate(() => document.activeElement?.className), 'skip')
  await page.locator('.devices-head button').focus()
  await page.keyboard.press('Enter')
  await dialog(visitor).waitFor()
  await page.keyboard.press('Escape')
  await dialog(visitor).waitFor({ state: 'hidden' })
  await page.waitForFunction(() => document.activeElement?.closest('.devices-head') !== null)
  await page.locator('.account-button').focus()
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => document.activeElement?.role === 'menuitem')
  await page.keyboard.press('End')
  await page.waitForFunction((text) => document.activeElement?.textContent?.includes(text), texts.en.menu.signOut)
  await page.keyboard.press('Enter')
  await page.waitForURL((url) => url.pathname === '/sign-in')
})

test('the first load is small', async () => {
  const { page } = await arrive()
  const bodies = /** @type {Promise<Buffer>[]} */ ([])
  page.on('response', (response) => {
    if (response.ok()) bodies.push(response.body())
  })
  await page.goto(demo.url)
  await page.locator('.sign-in-way').waitFor()
  const size = (await Promise.all(bodies)).reduce((sum, body) => sum + gzipSync(body).length, 0)
  assert.ok(size <= 200_000, `${size} bytes, compressed`)
})

test('language and appearance are chosen, and remembered', async () => {
  const visitor = await arrive({ language: 'ko', theme: 'light' })
  const { page } = visitor
  await page.goto(demo.url)
  const html = page.locator('html')
  await page.locator('h1', { hasText: texts.ko.app.name }).waitFor()
  assert.equal(await html.getAttribute('lang'), 'ko')
  await page.locator('.preferences > .quiet').click()
  await page.locator('.preferences .el-dropdown button').click()
  await page.getByRole('menuitem', { name: texts.en.theme.dark }).click()
  await page.reload()
  await page.locator('.sign-in-way', { hasText: texts.en.signIn.button }).waitFor()
  assert.equal(await html.getAttribute('lang'), 'en')
  assert.match((await html.getAttribute('class')) ?? '', /dark/)
})

// Each language, theme and width once; all of them together take long.
/** @type {{ language: 'ko' | 'en', theme: 'light' | 'dark', width: number }[]} */
const looks = [
  { language: 'ko', theme: 'dark', width: 360 },
  { language: 'en', theme: 'light', width: 1440 },
]
if (soak)
  looks.push(
    { language: 'ko', theme: 'light', width: 1440 },
    { language: 'en', theme: 'dark', width: 1440 },
    { language: 'en', theme: 'light', width: 360 },
    { language: 'ko', theme: 'light', width: 3840 },
  )

for (const look of looks) {
  const name = `${look.language}-${look.theme}-${look.width}`

  test(`nothing stands in anybody's way: ${name}`, async () => {
    const visitor = await arrive(look)
    const { page } = visitor
    /** @param {string} screen @param {string} selector */
    async function judge(screen, selector) {
      await page.locator(selector).first().waitFor()
      await page.evaluate(() => Promise.all(document.getAnimations().map((it) => it.finished.catch(() => {}))))
      await picture(page, `${screen}-${name}`)
      assert.deepEqual(await barriers(page), [], screen)
      assert.ok((await overflow(page)) <= 0, `${screen} is wider than the screen`)
    }
    await page.goto(`${demo.url}/sign-in?reason=session_cut_off`)
    await judge('sign-in', '.sign-in-way')
    await page.goto(`${demo.url}/no/such/page`)
    await judge('not-found', '.not-found')
    await signIn(visitor, boss)
    await judge('home', '.home-link')
    await page.goto(`${demo.url}/account`)
    await judge('account', '.device')
    await page.locator('.devices-head button').click()
    await judge('account-confirm', '.el-dialog')
    await page.keyboard.press('Escape')
    await page.goto(`${demo.url}/people`)
    await judge('people', '.person')
    await page.locator('.account-button').click()
    await judge('menu', '.el-dropdown-menu__item:visible')
  })
}
