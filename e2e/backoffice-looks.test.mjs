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

// Each language, theme and width at least once; all eight together take long, and so does the widest screen there is.
/** @type {{ language: 'ko' | 'en', theme: 'light' | 'dark', width: number }[]} */
const looks = soak
  ? [{ language: 'ko', theme: 'dark', width: 3840 }]
  : [
      { language: 'en', theme: 'dark', width: 360 },
      { language: 'ko', theme: 'light', width: 1440 },
    ]
if (soak)
  for (const language of /** @type {const} */ (['en', 'ko']))
    for (const theme of /** @type {const} */ (['light', 'dark']))
      for (const width of [1440, 360]) looks.push({ language, theme, width })

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
  ['upload', '/s/market/products/p3', '.dialog input[type=file]', (page) => deed(page, /Upload|올리기/)],
  [
    'action',
    '/s/market/orders?status=paid',
    '.dialog .entry',
    async (page) => {
      await page.locator('.row-link').first().click()
      await page.locator('.head-actions button', { hasText: /Refund|환불/ }).click()
    },
  ],
  ['gone', '/s/market/no-such-list', '.state'],
  ['own-overview', '/s/munjigi', '.overview-link'],
  ['own-accounts', '/s/munjigi/accounts', '.table tbody tr'],
  ['own-account', '/s/munjigi/accounts', '.record-facts', (page) => page.locator('.row-link').first().click()],
  ['own-sessions', '/s/munjigi/sessions', '.table tbody tr'],
  ['own-keys', '/s/munjigi/keys', '.table tbody tr'],
  ['own-services', '/s/munjigi/services', '.table tbody tr'],
  ['own-audit', '/s/munjigi/audit', '.table tbody tr'],
  ['own-event', '/s/munjigi/audit', '.record-facts', (page) => page.locator('.row-link').first().click()],
]

/** Opens an action of the record that is shown. */
async function deed(/** @type {Page} */ page, /** @type {RegExp} */ name) {
  await page.locator('.head-actions .deeds-button').click()
  await page.getByRole('menuitem', { name }).click()
}

for (const look of looks) {
  const name = `${look.language}-${look.theme}-${look.width}`

  test(`nothing stands in anybody's way in the back office: ${name}`, async () => {
    const { page } = await office.arrive(boss, '/account', look)
    /** @type {string[]} */
    const found = []
    for (const [i, [screen, path, selector, act]] of screens.entries()) {
      // Looking takes seconds: every screen once, in one look or the other; in the long run in each.
      if (!soak && i % looks.length !== looks.indexOf(look)) continue
      await page.goto(office.demo.url + path)
      await page.locator('main h1').first().waitFor({ state: 'attached' })
      if (act) {
        await act(page)
      }
      await page.locator(selector).first().waitFor()
      await page.evaluate(() => Promise.all(document.getAnimations().map((it) => it.finished.catch(() => {}))))
      await picture(page, `office-${screen}-${name}`)
      for (const barrier of await barriers(page)) found.push(`${screen}: ${barrier}`)
      if ((await overflow(page)) > 0) found.push(`${screen} is wider than the screen`)
    }
    assert.deepEqual(found, [])
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
