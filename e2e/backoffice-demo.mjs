// The back office of the demo's company, for tests: one demo, browsers that are closed, texts of the console.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { startDemo } from './browser-demo.mjs'
import { launch, visit } from './browser-page.mjs'

/** @typedef {import('./browser-page.mjs').Visitor} Visitor */

// One service among others on a busy machine: what a person would not notice is not what is tested here.
const patience = 20_000

/** The texts of the console in one language. */
export async function textsOf(/** @type {'ko' | 'en'} */ language) {
  const file = new URL(`../console/src/locales/${language}.json`, import.meta.url)
  return JSON.parse(await readFile(file, 'utf8'))
}

/** A demo with a browser; `close` ends both. @param {Parameters<typeof startDemo>[0]} [edit] */
export async function openOffice(edit) {
  const demo = await startDemo(edit)
  const browser = await launch()
  /** @type {Visitor[]} */
  let visitors = []

  /**
   * Somebody of the company, signed in, at a path of the console.
   * @param {string} email
   * @param {string} path
   * @param {Parameters<typeof visit>[1]} [look]
   */
  async function arrive(email, path, look) {
    const visitor = await visit(browser, look)
    visitors.push(visitor)
    const { page } = visitor
    page.setDefaultTimeout(patience)
    await page.goto(demo.url + path)
    await page.locator('.sign-in-way').click()
    await page.waitForURL(`${demo.provider}/**`)
    await page.locator('a', { hasText: email }).first().click()
    await page.waitForURL((url) => url.origin === demo.url && url.pathname === path.split('?')[0])
    return visitor
  }

  /** Closes whoever came, none of whose pages may have had an error of script or a breach of the content policy. */
  async function leave() {
    const all = visitors
    visitors = []
    for (const visitor of all) await visitor.close()
    assert.deepEqual(
      all.flatMap(({ complaints }) => complaints),
      [],
    )
  }

  async function close() {
    await browser.close()
    await demo.stop()
  }
  return { demo, arrive, leave, close }
}

/** The row of a list that is called so. */
export function rowOf(/** @type {import('playwright-core').Page} */ page, /** @type {string} */ name) {
  return page.locator('.table tbody tr', { hasText: name })
}

/** Waits until the list on a page has been fetched. */
export async function listed(/** @type {import('playwright-core').Page} */ page) {
  await page.locator('.table-box:not(.busy) tbody tr').first().waitFor()
}
