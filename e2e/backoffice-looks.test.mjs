// Every screen of the back office, held against axe and the width of the screen, in both languages and themes.

import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { listed, openOffice } from './backoffice-demo.mjs'
import { barriers, overflow, picture, soak } from './browser-page.mjs'

/** @type {Awaited<ReturnType<typeof openOffice>>} */
let office

before(async () => {
  office = await openOffice()
})
afterEach(() => office.leave())
after(() => office?.close())

const boss = 'boss@example.com'
const firstLoad = 230_000

// Each language, theme and width once; all of them together take long.
/** @type {{ language: 'ko' | 'en', theme: 'light' | 'dark', width: number }[]} */
const looks = [
  { language: 'en', theme: 'dark', width: 360 },
  { language: 'ko', theme: 'light', width: 1440 },
]
if (soak)
  looks.push(
    { language: 'en', theme: 'dark', width: 1440 },
    { language: 'ko', theme: 'light', width: 360 },
    { language: 'ko', theme: 'dark', width: 3840 },
  )

/** @typedef {import('playwright-core').Page} Page */

/** The screens, how one gets to each, and what is there when it is. @type {[string, string, string, ((page: Page) => Promise<unknown>)?][]} */
const screens = [
  ['figures', '/', '.figure-value'],
  ['overview', '/s/market', '.overview-link'],
  ['list', '/s/market/orders', '.table tbody tr'],
  ['list-menu', '/s/market/orders', '.deeds-list', (page) => page.locator('.table-end .deeds-button').first().click()],
  ['list-picked', '/s/market/products', '.bulk', (page) => page.locator('tbody .table-pick input').first().check()],
  ['list-empty', '/s/market/shops?q=nothing+like+it', '.state'],
  ['record', '/s/market/shops/s1', '.tabs .table tbody tr'],
  ['form', '/s/market/products/p3', '.dialog .entry', (page) => page.locator('.head-actions button').first().click()],
  [
    'form-wrong',
    '/s/market/shops',
    '.dialog .entry-error',
    async (page) => {
      await page.locator('.head-actions .el-button--primary').click()
      await page.locator('.dialog button[type=submit]').click()
    },
  ],
  ['report', '/s/market/-/report/reportSales', '.chart canvas'],
  [
    'report-table',
    '/s/market/-/report/reportRefunds',
    '.figures-table td',
    (page) => page.locator('.figures-switch').click(),
  ],
  ['settings', '/s/market/-/settings/getSettings', '.settings input'],
  ['palette', '/s/market', '.palette-list li', (page) => page.keyboard.press('Control+k')],
  ['gone', '/s/market/no-such-list', '.state'],
]

for (const look of looks) {
  const name = `${look.language}-${look.theme}-${look.width}`

  test(`nothing stands in anybody's way in the back office: ${name}`, async () => {
    const { page } = await office.arrive(boss, '/account', look)
    for (const [screen, path, selector, act] of screens) {
      await page.goto(office.demo.url + path)
      await page.locator('main h1').first().waitFor({ state: 'attached' })
      if (act) {
        await act(page)
      }
      await page.locator(selector).first().waitFor()
      await page.evaluate(() => Promise.all(document.getAnimations().map((it) => it.finished.catch(() => {}))))
      await picture(page, `office-${screen}-${name}`)
      assert.deepEqual(await barriers(page), [], screen)
      assert.ok((await overflow(page)) <= 0, `${screen} is wider than the screen`)
    }
  })
}

test('a list is there without what only other screens need', async () => {
  const { page } = await office.arrive(boss, '/account')
  await page.goto('about:blank') // nothing of the page before counts
  const asked = /** @type {Set<string>} */ (new Set())
  page.on('response', (response) => {
    const path = new URL(response.url()).pathname
    if (response.ok() && path.startsWith('/assets/')) asked.add(path)
  })
  await page.goto(`${office.demo.url}/s/market/orders`)
  await listed(page)
  const paths = [...asked]
  // The browser keeps no bodies of a page that was left; the files are the same for everybody.
  const sizes = await Promise.all(
    paths.map(async (path) => gzipSync(Buffer.from(await (await fetch(office.demo.url + path)).arrayBuffer())).length),
  )
  const size = sizes.reduce((sum, one) => sum + one, 0)
  assert.ok(size <= firstLoad, `${size} bytes, compressed: ${paths.join(' ')}`)
  assert.deepEqual(
    paths.filter((path) => /Chart|Markdown/.test(path)),
    [],
  )
})
