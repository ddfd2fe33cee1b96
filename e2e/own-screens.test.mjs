// Munjigi as a service of its own console: real Chromium, the real program. Nothing of the console is made for it.

import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { listed, openOffice, rowOf } from './backoffice-demo.mjs'

/** @type {Awaited<ReturnType<typeof openOffice>>} */
let office

before(async () => {
  office = await openOffice()
})
afterEach(() => office.leave())
after(() => office?.close())

const boss = 'boss@example.com'

test('an administrator disables somebody, whose session ends, and reads of it in the audit by names', async () => {
  const grace = await office.arrive('grace@example.com', '/account')
  const { page } = await office.arrive(boss, '/s/munjigi/accounts')
  await listed(page)
  await page.locator('.filters-search input').fill('grace')
  await page.waitForURL(/search=grace/)
  await rowOf(page, 'Grace Okafor').locator('.row-link').click()
  await page.locator('.record-facts').waitFor()
  await page.locator('.head-actions button', { hasText: 'Disable' }).click()
  await page.locator('.dialog button[type=submit]').click()
  await page.locator('.dialog').waitFor({ state: 'detached' })
  await page.locator('.head-actions button', { hasText: 'Enable' }).waitFor()
  await grace.page.reload()
  await grace.page.waitForURL(/sign-in/)

  await page.goto(`${office.demo.url}/s/munjigi/audit?action=account_disabled`)
  await listed(page)
  const row = rowOf(page, 'Account disabled')
  assert.match(await row.innerText(), /백보람[\s\S]*Grace Okafor/)
  assert.match(await row.innerText(), /20\d\d/, 'a time, not seconds')
})

test('a key is withdrawn only with its name typed and a reason, which is kept', async () => {
  const { page } = await office.arrive(boss, '/s/munjigi/keys')
  await listed(page)
  const next = rowOf(page, 'Next')
  const name = ((await next.locator('td, th').nth(1).innerText()) ?? '').trim()
  await next.locator('button').last().click()
  await page.getByRole('menuitem', { name: 'Withdraw a stolen key' }).click()
  const dialog = page.locator('.dialog')
  let calls = 0
  page.on('request', (request) => {
    if (request.url().endsWith('/retire')) calls++
  })
  await dialog.locator('textarea').fill('기차에 두고 내림')
  assert.equal(await dialog.locator('button[type=submit]').isDisabled(), true, 'its name was not typed')
  await dialog.locator('input[type=text]').fill(name)
  await dialog.locator('button[type=submit]').click()
  await dialog.waitFor({ state: 'detached' })
  assert.equal(calls, 1)
  await rowOf(page, name).filter({ hasText: 'Withdrawn' }).waitFor()
  await page.goto(`${office.demo.url}/s/munjigi/audit?action=key_retired`)
  await listed(page)
  await page.locator('.row-link').first().click()
  await page.locator('.record-facts', { hasText: '기차에 두고 내림' }).first().waitFor()
})

test('somebody who is no administrator has no such service', async () => {
  const { page } = await office.arrive('viewer@example.com', '/')
  await page.locator('.menu-service').first().waitFor()
  assert.equal(await page.locator('.menu a[href^="/s/munjigi"]').count(), 0)
})
