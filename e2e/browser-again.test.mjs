// Back from a provider with no room: a person chooses which session ends, in real Chromium.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startDemo } from './browser-demo.mjs'
import { barriers, launch, overflow, picture, visit } from './browser-page.mjs'

/** @type {Awaited<ReturnType<typeof startDemo>>} */
let demo
/** @type {import('playwright-core').Browser} */
let browser
const viewer = 'viewer@example.com'

before(async () => {
  demo = await startDemo((text) =>
    text.replace('per_account: 5, when_full: replace', 'per_account: 1, when_full: refuse'),
  )
  browser = await launch()
})

after(async () => {
  await browser?.close()
  await demo?.stop()
})

/** @param {import('playwright-core').Page} page */
async function signIn(page) {
  const query = new URLSearchParams({ app: 'console', return_to: '/account', login_hint: viewer })
  await page.goto(`${demo.url}/sign-in/staff?${query}`)
}

test('one session is chosen to end, and the new one begins', async () => {
  const first = await visit(browser)
  await signIn(first.page)
  await first.page.locator('.device.current').waitFor()

  const second = await visit(browser, { language: 'ko', width: 360 })
  const { page } = second
  await signIn(page)
  await page.locator('.limit-one', { hasText: 'Chrome on Linux' }).waitFor()
  assert.equal(new URL(page.url()).pathname, '/sign-in/staff/again')
  // No script gets hold of the ticket, and the address does not have it.
  const seen = await page.evaluate(() =>
    JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }, location.href]),
  )
  const [ticket] = (await page.context().cookies()).filter(({ name }) => name === 'munjigi.choice.staff')
  assert.ok(ticket?.httpOnly && ticket.sameSite === 'Strict' && ticket.value.length > 100)
  assert.ok(!seen.includes(ticket.value.slice(0, 20)))
  assert.deepEqual(await barriers(page), [])
  assert.equal(await overflow(page), 0)
  await picture(page, 'again-limit-ko-360')

  await page.locator('.limit button[type=submit]').click()
  await page.waitForURL((url) => url.pathname === '/account')
  await page.locator('.device.current').waitFor()
  assert.equal(await page.locator('.device').count(), 1)

  await first.page.reload()
  await first.page.waitForURL(
    (url) => url.pathname === '/sign-in' && url.searchParams.get('reason') === 'session_replaced',
  )
  assert.deepEqual([...first.complaints, ...second.complaints], [])
  await first.close()
  await second.close()
})

test('who wants none of them to end has the way to try again', async () => {
  const { page, close, complaints } = await visit(browser)
  await signIn(page)
  await page.locator('.limit .link').click()
  const way = new URL((await page.locator('.sign-in-way').getAttribute('href')) ?? '', demo.url)
  assert.equal(way.pathname, '/sign-in/staff')
  assert.equal(way.searchParams.get('return_to'), `${demo.url}/account`)
  assert.deepEqual(await barriers(page), [])
  await picture(page, 'again-dropped-en')
  assert.deepEqual(complaints, [])
  await close()
})
