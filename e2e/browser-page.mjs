// A real browser with a witness: whatever it complains of, and whatever axe finds, is there for a test to read.

import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { AxeBuilder } from '@axe-core/playwright'
import { chromium } from 'playwright-core'

const userAgent =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'
const results = fileURLToPath(new URL('../test-results/', import.meta.url))

/** The long runs: every look of every page, rather than each once. */
export const soak = Boolean(process.env.MUNJIGI_SOAK)

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

/** @typedef {{ page: import('playwright-core').Page, complaints: string[], refusals: string[], close: () => Promise<void> }} Visitor */

/**
 * A browser of its own, as far as cookies go. `complaints` are errors of script and breaches of the content policy;
 * `refusals` are answers outside 2xx, which a test may expect.
 * @param {import('playwright-core').Browser} browser
 * @param {{ language?: 'ko' | 'en', theme?: 'light' | 'dark', width?: number }} [look]
 * @returns {Promise<Visitor>}
 */
export async function visit(browser, { language = 'en', theme = 'light', width = 1440 } = {}) {
  const context = await browser.newContext({
    userAgent, // without a window Chromium calls itself by another name
    locale: language === 'ko' ? 'ko-KR' : 'en-US',
    colorScheme: theme,
    viewport: { width, height: width < 600 ? 780 : 900 },
  })
  const complaints = /** @type {string[]} */ ([])
  const refusals = /** @type {string[]} */ ([])
  await context.exposeBinding('munjigiComplain', (_source, text) => complaints.push(text))
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      const text = `policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`
      Reflect.get(window, 'munjigiComplain')(text)
    })
  })
  const page = await context.newPage()
  page.on('pageerror', (error) => complaints.push(`script: ${error.message}`))
  page.on('console', (message) => {
    if (message.type() !== 'error' && message.type() !== 'warning') return
    // The browser's own line for an answer outside 2xx, or for none.
    if (message.text().startsWith('Failed to load resource'))
      refusals.push(`${message.location().url} ${message.text()}`)
    else complaints.push(`console: ${message.text()}`)
  })
  return { page, complaints, refusals, close: () => context.close() }
}

/**
 * What axe finds on the page, in words.
 * @param {import('playwright-core').Page} page
 */
export async function barriers(page) {
  const { violations } = await new AxeBuilder({ page }).analyze()
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`)
}

/**
 * Takes a picture to be looked at.
 * @param {import('playwright-core').Page} page
 * @param {string} name
 */
export function picture(page, name) {
  return pictureIn('console', page, name)
}

/**
 * The same for another front end than the console.
 * @param {string} folder
 * @param {import('playwright-core').Page} page
 * @param {string} name
 */
export async function pictureIn(folder, page, name) {
  await mkdir(results + folder, { recursive: true })
  await page.screenshot({ path: `${results}${folder}/${name}.png`, fullPage: true, animations: 'disabled' })
}

/** How far the page is wider than the screen: nobody should have to scroll sideways. */
export function overflow(/** @type {import('playwright-core').Page} */ page) {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
}
