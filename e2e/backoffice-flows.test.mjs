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

// Two hundred calls, each written down before and after, beside whatever else the machine does.
const long = { timeout: 120_000 }
const viewer = 'viewer@example.com'
const editor = 'editor@example.com'

/** The day so many days ago, as a date input has it. */
function day(/** @type {number} */ ago) {
  const date = new Date(Date.now() - ago * 86_400_000)
  return date.toISOString().slice(0, 10)
}

/** Has a service of the demo fail in one of its ways from now on. */
async function setMode(/** @type {string} */ name, /** @type {string} */ mode) {
  const body = JSON.stringify({ mode })
  const headers = { 'Content-Type': 'application/json' }
  const response = await fetch(`${office.demo.services[name]}/faults`, { method: 'POST', headers, body })
  assert.equal(response.status, 200, mode)
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

test('what is not accepted is said at the field, by the console or by the service, and what was typed stays', async () => {
  const { page } = await office.arrive(editor, '/s/market/orders?status=paid')
  await listed(page)
  await page.locator('.row-link').first().click()
  await page.locator('.head-actions button', { hasText: 'Refund' }).click()
  const dialog = page.locator('.dialog')
  const amount = dialog.locator('[data-pointer="/amount"]')
  const submit = dialog.locator('button[type=submit]')
  await amount.locator('input').fill('-5')
  await dialog.locator('[data-pointer="/cause"] select').selectOption({ label: 'Changed mind' })
  await dialog.locator('textarea').last().fill('typed with care')
  await submit.click()
  await amount.locator('.entry-error').waitFor()
  assert.equal(await amount.locator('input').inputValue(), '-5')
  assert.equal(await amount.locator('input').getAttribute('aria-invalid'), 'true')
  await amount.locator('input').fill('1200')
  await setMode('market', '422')
  try {
    await submit.click()
    await amount.locator('.entry-error', { hasText: 'less than is left' }).waitFor()
  } finally {
    await setMode('market', 'ok')
  }
  assert.equal(await amount.locator('input').inputValue(), '1200')
  assert.equal(await dialog.locator('textarea').last().inputValue(), 'typed with care')
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
})

test('one action runs over 200 rows, and those that fail say why, each by its name', async () => {
  const { page } = await office.arrive(editor, '/s/market/products?per_page=200')
  await listed(page)
  const names = await page.locator('.table tbody .row-link').allInnerTexts()
  await page.locator('thead input[type=checkbox]').check()
  await page.locator('.bulk', { hasText: '200 selected' }).waitFor()
  await page.locator('.bulk .deeds-button').first().click()
  await page.getByRole('menuitem', { name: 'Hide' }).last().click()
  await page.locator('.dialog button[type=submit]').click()
  // What somebody has just ordered stays: the demo has three of those among its first 200.
  await page.locator('.bulk-counts', { hasText: '197 of 200' }).waitFor(long)
  const failures = page.locator('.bulk-failed li')
  assert.equal(await failures.count(), 3)
  for (const text of await failures.allInnerTexts()) {
    const [name, why] = text.split('\n')
    assert.ok(names.includes(name ?? ''), `${name} is one of those that were chosen`)
    assert.match(why ?? '', /order/i)
  }
  // Tried again they are refused again, and alone.
  const again = /** @type {string[]} */ ([])
  page.on('requestfinished', (request) => request.url().endsWith('/hide') && again.push(request.url()))
  const third = page.waitForEvent('requestfinished', { predicate: () => again.length === 3, ...long })
  await page.getByRole('button', { name: en.bulk.retry }).click()
  await third
  await page.locator('.bulk-counts', { hasText: '197 of 200' }).waitFor(long)
  await page.waitForFunction(() => document.querySelectorAll('.bulk-failed li').length === 3, undefined, long)
  assert.equal(again.length, 3)
})

test('one call for many rows: what the service says of each is read', async () => {
  const { page } = await office.arrive(editor, '/s/market/products?per_page=200&status=on_sale')
  await listed(page)
  await page.locator('thead input[type=checkbox]').check()
  await page.locator('.bulk .deeds-button').first().click()
  await page.getByRole('menuitem', { name: 'Hide' }).first().click()
  const sent = page.waitForResponse((response) => response.url().endsWith('/products/hide'), long)
  await page.locator('.dialog button[type=submit]').click()
  const { done, failed } = await (await sent).json()
  await page.locator('.bulk-counts', { hasText: `${done} of 200` }).waitFor(long)
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

/** Presses Tab until what has the focus is what a selector means, as somebody does who has no mouse. */
async function tabTo(/** @type {import('playwright-core').Page} */ page, /** @type {string} */ selector) {
  const wanted = page.locator(selector).first()
  await wanted.waitFor()
  for (let i = 0; i < 150; i++) {
    if (await wanted.evaluate((it) => it === document.activeElement)) return
    await page.keyboard.press('Tab')
  }
  assert.fail(`${selector} is not reached by Tab`)
}

/** Goes to a list of the market by the palette, and to its first record. */
async function goByKeys(/** @type {import('playwright-core').Page} */ page, /** @type {string} */ list) {
  await page.keyboard.press('Control+k')
  await page.keyboard.type(list)
  await page.locator('.palette-list li', { hasText: list }).first().waitFor()
  await page.keyboard.press('Enter')
  await page.waitForURL(new RegExp(`/s/market/${list.toLowerCase()}$`))
  await listed(page)
  await tabTo(page, '.row-link')
  await page.keyboard.press('Enter')
  await page.locator('.record-facts').waitFor()
}

test('a change of a product and a refund go by keyboard alone', async () => {
  const { page } = await office.arrive(editor, '/')
  await page.locator('.menu a[href="/s/market/orders"]').waitFor()
  await goByKeys(page, 'Products')
  await tabTo(page, '.head-actions button')
  await page.keyboard.press('Enter')
  await tabTo(page, '.dialog [data-pointer="/name"] input')
  await page.keyboard.press('Control+a')
  await page.keyboard.type('By keyboard')
  await tabTo(page, '.dialog button[type=submit]')
  await page.keyboard.press('Enter')
  await page.locator('h1', { hasText: 'By keyboard' }).waitFor()

  await goByKeys(page, 'Orders')
  await tabTo(page, '.head-actions button:has-text("Refund")')
  await page.keyboard.press('Enter')
  await tabTo(page, '.dialog [data-pointer="/amount"] input')
  await page.keyboard.type('500')
  await tabTo(page, '.dialog [data-pointer="/cause"] select')
  await page.keyboard.type('Damaged')
  await tabTo(page, '.dialog textarea >> nth=-1')
  await page.keyboard.type('Asked for it')
  await tabTo(page, '.dialog button[type=submit]')
  await page.keyboard.press('Enter')
  await page.locator('.dialog').waitFor({ state: 'detached' })
  await page.locator('.record-facts', { hasText: '₩500' }).waitFor()
})

test('a picture is uploaded, and the record has it', async () => {
  const { page } = await office.arrive(editor, '/s/market/products/p21')
  const image = page.locator('.record-facts img.value-image').first()
  await image.waitFor()
  const before = await image.getAttribute('src')
  await page.locator('.head-actions .deeds-button').click()
  await page.getByRole('menuitem', { name: 'Upload a picture' }).click()
  const dialog = page.locator('.dialog')
  const field = dialog.locator('input[type=file]')
  await field.setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no picture at all') })
  await dialog.locator('button[type=submit]').click()
  await dialog.locator('.entry-error').first().waitFor()
  const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
  await field.setInputFiles({ name: 'dot.png', mimeType: 'image/png', buffer: Buffer.from(png, 'base64') })
  await dialog.locator('button[type=submit]').click()
  await dialog.waitFor({ state: 'detached' })
  await page.waitForFunction(
    (old) => document.querySelector('.record-facts img.value-image')?.getAttribute('src') !== old,
    before,
  )
})

test('what takes longer is followed to its end', async () => {
  const { page } = await office.arrive(editor, '/s/market/products')
  await listed(page)
  const asked = /** @type {number[]} */ ([])
  page.on('response', (it) => it.url().includes('/services/market/jobs/') && asked.push(it.status()))
  await page.locator('.head-actions button', { hasText: 'Count the stock again' }).click()
  await page.locator('.dialog button[type=submit]').click()
  await page.locator('.dialog', { hasText: /Working… [1-9]\d? %/ }).waitFor()
  await page.locator('.el-message', { hasText: 'Done: Count the stock again' }).waitFor()
  await page.locator('.dialog').waitFor({ state: 'detached' })
  assert.equal(asked.at(-1), 200, `${asked}`)
  assert.ok(asked.length > 1 && asked.slice(0, -1).every((status) => status === 202), `${asked}`)
})

test('what a stranger writes is only read', async () => {
  const { page } = await office.arrive(editor, '/s/market/products/p90')
  const elsewhere = /** @type {string[]} */ ([])
  page.on('request', (request) => request.url().includes('evil.example') && elsewhere.push(request.url()))
  await page.locator('.head-actions button').first().click()
  await page
    .locator('.dialog [data-pointer="/description"] textarea')
    .fill(
      '**bold**\n\n<script>window.hurt = 1</script><img src=x onerror="window.hurt = 2">' +
        '<p style="background:url(https://evil.example/a)" onclick="window.hurt = 3">styled</p>' +
        '<style>@import "https://evil.example/b.css";</style><iframe src="https://evil.example/c"></iframe>\n\n' +
        '[a link](javascript:window.hurt=4)',
    )
  await page.locator('.dialog button[type=submit]').click()
  const text = page.locator('.record-facts .markdown')
  await text.filter({ hasText: 'styled' }).waitFor()
  await text.locator('strong', { hasText: 'bold' }).waitFor()
  await text.getByText('a link').click()
  await text.getByText('styled').click()
  const could = text.locator('script, style, iframe, [style], [onclick], [onerror], [href^="javascript"]')
  assert.equal(await could.count(), 0, await text.innerHTML())
  assert.equal(await page.evaluate(() => Reflect.get(window, 'hurt')), undefined)
  assert.deepEqual(elsewhere, [])
})

test('a service that fails says so in its place, in plain words, with the rest alive', async () => {
  const { page } = await office.arrive(viewer, '/')
  await page.locator('.figure-value').first().waitFor()
  /** @type {[string, RegExp | string][]} */
  const cases = [
    ['down', /Wishlist does not answer as it should[\s\S]*you stay signed in/],
    ['html', /Wishlist does not answer as it should[\s\S]*you stay signed in/],
    ['500', /Wishlist does not answer as it should[\s\S]*you stay signed in/],
    ['schema', /its own document/],
    ['403', /Not for your roles[\s\S]*Only the accounts department may see this\./],
    ['401', /You stay signed in/],
    ['422', /Wishlist does not accept some of it/],
    ['429', /Wishlist asks for a pause/],
  ]
  try {
    for (const [mode, text] of cases) {
      await setMode('wishlist', mode)
      await page.goto(`${office.demo.url}/s/wishlist/lists`)
      await page.locator('.list .state', { hasText: text }).waitFor()
      assert.ok(await page.locator('.menu a[href="/s/market/orders"]').isVisible(), 'the menu stands')
    }
    await setMode('wishlist', 'slow')
    await page.goto(`${office.demo.url}/s/wishlist/lists`)
    await page.locator('.list .soft', { hasText: 'takes longer than usual' }).waitFor()
    await page.locator('.menu a[href="/s/market/orders"]').click()
    await listed(page)

    await setMode('wishlist', 'down')
    await page.goto(office.demo.url)
    await page.locator('.service-figures', { hasText: 'Market' }).locator('.figure-value').first().waitFor()
    await page.locator('.service-figures', { hasText: 'Wishlist' }).locator('.figure-trouble').first().waitFor()
  } finally {
    await setMode('wishlist', 'ok')
  }
  await page.locator('.figure-trouble button').first().click()
  await page.locator('.service-figures', { hasText: 'Wishlist' }).locator('.figure-value').first().waitFor()
})

test('the audit has all of it, by names, with what was done to what and what came of it', async () => {
  const { page } = await office.arrive('boss@example.com', '/s/munjigi/audit?service=market&limit=200')
  const column = async (/** @type {string} */ name) => {
    const heads = await page.locator('.table thead th').allInnerTexts()
    return heads.findIndex((head) => head.trim() === name)
  }
  await listed(page)
  const names = ['What', 'Who', 'Operation', 'On', 'Outcome', 'Reason']
  const places = await Promise.all(names.map(column))
  assert.ok(!places.includes(-1), `${names} are columns: ${places}`)
  /** @type {string[]} */
  const rows = []
  for (;;) {
    const cells = await page
      .locator('.table tbody tr')
      .evaluateAll(
        (all, wanted) => all.map((row) => wanted.map((i) => row.children[i]?.textContent?.trim() ?? '')),
        places,
      )
    rows.push(...cells.map((row) => row.join(' | ')))
    const on = page.locator('.pages-way').last()
    if (await on.isDisabled()) break
    const before = await page.locator('.pages p').innerText()
    await on.click()
    await page.locator('.pages p').filter({ hasNotText: before }).waitFor()
    await listed(page)
  }
  rows.reverse() // in the order in which it happened
  const none = '–none'
  // Each change is there before it is made, and with what came of it.
  const order = [
    `Exported a list | 박보라 | listOrders | /orders | ${none} | ${none}`,
    `Called a service | 김민준 | updateProduct | /products/p7 | ${none} | ${none}`,
    `Call ended | 김민준 | updateProduct | /products/p7 | done | ${none}`,
    `Called a service | Edith Kim | updateProduct | /products/p7 | ${none} | ${none}`,
    `Call ended | Edith Kim | updateProduct | /products/p7 | status_412 | ${none}`,
    `Call ended | Edith Kim | updateProduct | /products/p7 | done | ${none}`,
    `Called a service | Edith Kim | hideProduct | /products/p2/hide | ${none} | ${none}`,
    `Call ended | Edith Kim | hideProducts | /products/hide | done | ${none}`,
  ]
  const found = order.map((row) => rows.indexOf(row))
  assert.ok(!found.includes(-1), `not there: ${order.filter((_, i) => found[i] === -1).join('\n')}`)
  assert.deepEqual(
    found,
    found.toSorted((a, b) => a - b),
    'in the order in which it happened',
  )
  const hidden = rows.filter((row) => /^Call ended .* hideProduct \|/.test(row))
  assert.equal(hidden.length, 203, '200, and three once more')
  assert.equal(hidden.filter((row) => row.includes('status_409')).length, 6)
  const refunds = rows.filter((row) => row.includes('refund'))
  assert.ok(
    refunds.some((row) => /^Called a service \| Edith Kim \| refundOrder .* 고객이 마음을 바꿈$/.test(row)),
    refunds.join('\n'),
  )
  assert.equal(refunds.filter((row) => /^Call ended .* status_422/.test(row)).length, 1)
  assert.equal(refunds.filter((row) => /^Call ended \| Edith Kim .* done/.test(row)).length, 2)
})
