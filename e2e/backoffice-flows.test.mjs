// The back office as people work in it: real Chromium, the real program, the demo's services behind the gateway.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, afterEach, before, test } from 'node:test'
import { listed, openOffice, textsOf } from './backoffice-demo.mjs'

/** @type {Awaited<ReturnType<typeof openOffice>>} */
let office
/** @type {Record<string, any>} */
let en

before(async () => {
  en = await textsOf('en')
  office = await openOffice()
})
afterEach(() => office.leave())
after(() => office?.close())

const viewer = 'viewer@example.com'
const editor = 'editor@example.com'

/** The day so many days ago, as a date input has it. */
function day(/** @type {number} */ ago) {
  const date = new Date(Date.now() - ago * 86_400_000)
  return date.toISOString().slice(0, 10)
}

test("a viewer finds last week's orders of one shop, and exports them", async () => {
  const { page } = await office.arrive(viewer, '/s/market/orders?shop_id=s52')
  await listed(page)
  const range = page.locator('.filter.range input')
  await range.first().fill(day(7))
  await range.first().dispatchEvent('change')
  await page.waitForURL(/ordered_from=/)
  await range.last().fill(day(0))
  await range.last().dispatchEvent('change')
  await page.waitForURL(/ordered_from=.*ordered_to=|ordered_to=.*ordered_from=/)
  await listed(page)
  const total = Number((await page.locator('.pages p').innerText()).match(/of ([\d,]+)/)?.[1]?.replace(',', ''))
  assert.ok(total > 0, 'a shop of the demo sells something every week')
  const download = page.waitForEvent('download')
  await page.locator('.export').click()
  const file = await readFile(await (await download).path(), 'utf8')
  assert.equal(file.trim().split('\n').length, total + 1, 'each row that the filters leave, and the heading')

  // The address is the question: whoever is sent it sees the same.
  await page.reload()
  await listed(page)
  assert.match(await page.locator('.pages p').innerText(), new RegExp(`of ${total}`))
})

test('a list is sorted, paged and searched, and the way back leads through the same pages', async () => {
  const { page } = await office.arrive(viewer, '/s/market/products')
  await listed(page)
  const first = async () => (await page.locator('.table tbody .row-link').first().getAttribute('href')) ?? ''
  await page.locator('.table-sort', { hasText: 'Price' }).click()
  await page.locator('th[aria-sort="ascending"]').waitFor()
  await page.locator('.table-sort', { hasText: 'Price' }).click()
  await page.locator('th[aria-sort="descending"]').waitFor()
  await listed(page)
  const dearest = await first()
  await page.locator('.pages-way').last().click()
  await page.waitForURL(/page=2/)
  await page.waitForFunction((name) => document.querySelector('.row-link')?.getAttribute('href') !== name, dearest)
  await page.goBack()
  await page.waitForFunction((name) => document.querySelector('.row-link')?.getAttribute('href') === name, dearest)
  await page.locator('.filters-search input').fill('no such product anywhere')
  await page.locator('.state', { hasText: en.list.emptyNarrowed }).waitFor()
  await page.locator('.state button').click()
  await listed(page)
})

test('a list whose length nobody knows goes on and back by its cursors', async () => {
  const { page } = await office.arrive(viewer, '/s/market/events')
  await listed(page)
  const [back, on] = [page.locator('.pages-way').first(), page.locator('.pages-way').last()]
  const rows = page.locator('.pages p')
  assert.match(await rows.innerText(), /Rows 1–50/)
  await on.click()
  await rows.filter({ hasText: '51–100' }).waitFor()
  await back.click()
  await rows.filter({ hasText: '1–50' }).waitFor()
  assert.equal(await back.isDisabled(), true)
})

test('a number beyond 2^53 is shown with every digit, and an edit beside it sends what was changed and no more', async () => {
  const { page } = await office.arrive(editor, '/s/market/orders')
  await listed(page)
  await page.locator('.row-link').first().click()
  await page.locator('.record-facts').waitFor()
  const settlement = page.locator('.record-facts div', { hasText: 'Settlement' }).locator('dd')
  assert.match(await settlement.innerText(), /^92233720368547\d{5}$/)
  const sent = page.waitForRequest((request) => request.method() === 'PATCH')
  await page.locator('.head-actions button').first().click()
  await page.locator('.dialog textarea, .dialog input').first().fill('Leave it with the neighbours')
  await page.locator('.dialog button[type=submit]').click()
  const request = await sent
  assert.equal(Object.keys(JSON.parse(request.postData() ?? '{}')).length, 1)
  assert.ok(request.headers()['idempotency-key'])
  assert.ok(request.headers()['if-match'])
  await page.locator('.record-facts', { hasText: 'Leave it with the neighbours' }).waitFor()
})

test('somebody else was faster: what they changed is shown, and both changes stay', async () => {
  const mine = await office.arrive(editor, '/s/market/products/p7')
  const theirs = await office.arrive('minjun@example.com', '/s/market/products/p7')
  const open = async (/** @type {import('playwright-core').Page} */ page) => {
    await page.locator('.head-actions button').first().click()
    await page.locator('.dialog input').first().waitFor()
  }
  const field = (/** @type {import('playwright-core').Page} */ page, /** @type {string} */ name) =>
    page.locator(`.dialog [data-pointer="/${name}"] input`)
  await open(mine.page)
  await field(mine.page, 'stock').fill('77')
  await field(mine.page, 'price').fill('31000')

  await open(theirs.page)
  await field(theirs.page, 'price').fill('29000')
  await field(theirs.page, 'name').fill('Renamed meanwhile')
  await theirs.page.locator('.dialog button[type=submit]').click()
  await theirs.page.locator('h1', { hasText: 'Renamed meanwhile' }).waitFor()

  await mine.page.locator('.dialog button[type=submit]').click()
  const conflict = mine.page.locator('.conflicts')
  await conflict.waitFor()
  assert.match(await conflict.innerText(), /Renamed meanwhile/)
  assert.equal(await conflict.locator('.conflict-side').count(), 2, 'one value that both changed')
  await conflict.locator('.conflict-side').last().click() // theirs
  await mine.page.getByRole('button', { name: en.conflict.save }).click()
  await mine.page.locator('.conflicts').waitFor({ state: 'detached' })
  await mine.page.locator('h1', { hasText: 'Renamed meanwhile' }).waitFor()
  const facts = mine.page.locator('.record-facts')
  await facts.filter({ hasText: '₩29,000' }).waitFor()
  assert.match(await facts.innerText(), /\b77\b/)
})

test('what the service does not accept is said at the field, and what was typed stays', async () => {
  const { page } = await office.arrive(editor, '/s/market/products/p8')
  await page.locator('.head-actions button').first().click()
  const price = page.locator('.dialog [data-pointer="/price"]')
  await price.locator('input').fill('-5')
  await page.locator('.dialog button[type=submit]').click()
  await price.locator('.entry-error').waitFor()
  assert.equal(await price.locator('input').inputValue(), '-5')
  assert.equal(await price.locator('input').getAttribute('aria-invalid'), 'true')
  await page.keyboard.press('Escape')
  await page.locator('.dialog').waitFor({ state: 'detached' })
})

test('one action runs over 200 rows, and those that fail say why, each by its name', async () => {
  const { page } = await office.arrive(editor, '/s/market/products?per_page=200&status=on_sale')
  await listed(page)
  await page.locator('thead input[type=checkbox]').check()
  await page.locator('.bulk', { hasText: '200 selected' }).waitFor()
  // Three rows that somebody is just ordering, as far as this browser can see.
  let failing = 3
  await page.route('**/services/market/products/*/show', (route) => route.fulfill({ status: 204 }))
  await page.route('**/services/market/products/*/hide', (route) => {
    const fails = failing-- > 0
    const json = { title: 'Conflict', detail: 'Somebody waits for this product.' }
    return fails
      ? route.fulfill({ status: 409, json, headers: { 'Munjigi-From': 'service' } })
      : route.fulfill({ status: 204 })
  })
  await page.locator('.bulk .deeds-button').first().click()
  await page.getByRole('menuitem', { name: 'Hide' }).last().click()
  await page.locator('.dialog button[type=submit]').click()
  await page.locator('.bulk-counts', { hasText: '197 of 200' }).waitFor()
  const failures = page.locator('.bulk-failed li')
  assert.equal(await failures.count(), 3)
  for (const text of await failures.allInnerTexts()) assert.match(text, /.+\nSomebody waits for this product\./)
  await page.getByRole('button', { name: en.bulk.retry }).click()
  await page.locator('.bulk-counts', { hasText: '200 of 200' }).waitFor()
  assert.equal(await failures.count(), 0)
})

test('one call for many rows: what the service says of each is read', async () => {
  const { page } = await office.arrive(editor, '/s/market/products?per_page=200&status=on_sale')
  await listed(page)
  await page.locator('thead input[type=checkbox]').check()
  await page.locator('.bulk .deeds-button').first().click()
  await page.getByRole('menuitem', { name: 'Hide' }).first().click()
  const sent = page.waitForResponse((response) => response.url().endsWith('/products/hide'))
  await page.locator('.dialog button[type=submit]').click()
  const { done, failed } = await (await sent).json()
  await page.locator('.bulk-counts', { hasText: `${done} of 200` }).waitFor()
  assert.equal(await page.locator('.bulk-failed li').count(), failed)
  assert.ok(failed > 0 && done > 0, `${done} done, ${failed} failed`)
})

test('a refund asks for a reason, names the order, and is done once', async () => {
  const { page } = await office.arrive(editor, '/s/market/orders?status=paid')
  await listed(page)
  await page.locator('.row-link').nth(3).click()
  await page.locator('.record-facts').waitFor()
  const name = await page.locator('h1').innerText()
  await page.locator('.head-actions button', { hasText: 'Refund' }).click()
  const dialog = page.locator('.dialog')
  await dialog.locator('[data-pointer="/amount"] input').fill('1000')
  await dialog.locator('[data-pointer="/cause"] select').selectOption({ label: 'Changed mind' })
  let calls = 0
  page.on('request', (request) => {
    if (request.url().endsWith('/refund')) calls++
  })
  await dialog.locator('button[type=submit]').click()
  await dialog.locator('.entry-error', { hasText: en.wrong.required }).waitFor()
  assert.equal(calls, 0, 'without a reason nothing is sent')
  assert.ok((await dialog.innerText()).includes(name.split('\n')[0] ?? ''))
  await dialog.locator('textarea').last().fill('고객이 마음을 바꿈')
  await dialog.locator('button[type=submit]').dblclick()
  await dialog.waitFor({ state: 'detached' })
  assert.equal(calls, 1)
  await page.locator('.record-facts', { hasText: '₩1,000' }).waitFor()
})

test('a viewer sees why a refund is not for them, and nothing is sent', async () => {
  const { page } = await office.arrive(viewer, '/s/market/orders?status=paid')
  await listed(page)
  await page.locator('.row-link').first().click()
  const refund = page.locator('.head-actions .why-box', { hasText: 'Refund' })
  assert.equal(await refund.locator('button').getAttribute('aria-disabled'), 'true')
  await refund.locator('button').focus()
  await refund.locator('.why').waitFor()
  assert.match(await refund.locator('.why').innerText(), /editor/)
  await refund.locator('button').click({ force: true })
  assert.equal(await page.locator('.dialog').count(), 0)
})

test('what cannot be undone is typed by name', async () => {
  const { page } = await office.arrive('boss@example.com', '/s/market/shops')
  await listed(page)
  const name = await page.locator('.row-link').nth(5).innerText()
  await page.locator('.table-end .deeds-button').nth(5).click()
  await page.getByRole('menuitem').last().click()
  const submit = page.locator('.dialog button[type=submit]')
  await submit.waitFor()
  assert.equal(await submit.isDisabled(), true)
  const typed = page.locator('.dialog .entry', { hasText: name }).locator('input')
  await typed.fill(name.slice(1))
  assert.equal(await submit.isDisabled(), true)
  await typed.fill(name)
  assert.equal(await submit.isDisabled(), false)
})

test('a change and a refund go by keyboard alone', async () => {
  const { page } = await office.arrive(editor, '/')
  await page.locator('.menu a[href="/s/market/orders"]').waitFor()
  await page.keyboard.press('Control+k')
  await page.keyboard.type('orders')
  await page.locator('.palette-list li', { hasText: 'Orders' }).first().waitFor()
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/s\/market\/orders$/)
  await listed(page)
  await page.locator('.row-link').first().focus()
  await page.keyboard.press('Enter')
  await page.locator('.record-facts').waitFor()
  const edit = page.locator('.head-actions button').first()
  await edit.focus()
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => /INPUT|TEXTAREA/.test(document.activeElement?.tagName ?? ''))
  await page.keyboard.press('Control+a')
  await page.keyboard.type('By keyboard')
  for (let i = 0; i < 12; i++) {
    await page.keyboard.press('Tab')
    if (await page.evaluate(() => document.activeElement?.getAttribute('type') === 'submit')) break
  }
  await page.keyboard.press('Enter')
  await page.locator('.record-facts', { hasText: 'By keyboard' }).waitFor()
  await page.locator('.head-actions button', { hasText: 'Refund' }).focus()
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => document.activeElement?.closest('[data-pointer="/amount"]') !== null)
  await page.keyboard.type('500')
  await page.keyboard.press('Tab')
  await page.keyboard.type('Damaged')
  for (let i = 0; i < 2; i++) await page.keyboard.press('Tab')
  await page.keyboard.type('Asked for it')
  for (let i = 0; i < 6; i++) {
    await page.keyboard.press('Tab')
    if (await page.evaluate(() => document.activeElement?.getAttribute('type') === 'submit')) break
  }
  await page.keyboard.press('Enter')
  await page.locator('.dialog').waitFor({ state: 'detached' })
  await page.locator('.record-facts', { hasText: '₩500' }).waitFor()
})

test('a service that fails says so in its place, in plain words, with the rest alive', async () => {
  const { page } = await office.arrive(viewer, '/')
  await page.locator('.figure-value').first().waitFor()
  /** @type {Record<string, any>} */
  let fault = {}
  await page.route('**/services/wishlist/**', (route) => route.fulfill(fault))
  const cases = [
    [{ status: 502, json: { code: 'service_unreachable' } }, en.code.service_unreachable],
    [{ status: 200, contentType: 'text/html', body: '<h1>Welcome</h1>' }, /web page/],
    [{ status: 200, json: { nothing: 'that was promised' } }, /its own document/],
    [{ status: 403, json: { detail: 'Not on Sundays.' }, headers: { 'Munjigi-From': 'service' } }, /Not on Sundays\./],
    [{ status: 401, json: { code: 'session_revoked' }, headers: { 'Munjigi-From': 'service' } }, /You stay signed in/],
  ]
  for (const [answer, text] of cases) {
    fault = answer
    await page.goto(`${office.demo.url}/s/wishlist/lists`)
    await page.locator('.list .state', { hasText: text }).waitFor()
    assert.ok(await page.locator('.menu a[href="/s/market/orders"]').isVisible(), 'the menu stands')
  }
  await page.goto(office.demo.url)
  await page.locator('.service-figures', { hasText: 'Market' }).locator('.figure-value').first().waitFor()
  await page.locator('.service-figures', { hasText: 'Wishlist' }).locator('.figure-trouble').first().waitFor()
  await page.unroute('**/services/wishlist/**')
  await page.locator('.figure-trouble button').first().click()
  await page.locator('.service-figures', { hasText: 'Wishlist' }).locator('.figure-value').first().waitFor()
})
