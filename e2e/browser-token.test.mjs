// The demo's page of a token's way: sign in, call, leave, refused, with the seconds counted.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startDemo } from './browser-demo.mjs'
import { barriers, launch, overflow, picture, visit } from './browser-page.mjs'

/** @type {Awaited<ReturnType<typeof startDemo>>} */
let demo
/** @type {import('playwright-core').Browser} */
let browser

const viewer = 'viewer@example.com'
// recheck.every + 1 s, and room for a busy machine
const cutWithin = 12_000

before(async () => {
  demo = await startDemo()
  browser = await launch()
})

after(async () => {
  await browser?.close()
  await demo?.stop()
})

/**
 * Looks at the page as it stands: a picture, nothing to stop anybody, nothing sideways.
 * @param {import('playwright-core').Page} page
 * @param {string} name
 */
async function look(page, name) {
  await picture(page, `token-${name}`)
  assert.deepEqual(await barriers(page), [], name)
  assert.ok((await overflow(page)) <= 0, `${name}: wider than the screen`)
}

for (const { language, theme, width } of /** @type {const} */ ([
  { language: 'en', theme: 'light', width: 1440 },
  { language: 'ko', theme: 'dark', width: 360 },
])) {
  test(`a token's way, ${language}, ${theme}, ${width} px`, async () => {
    const { page, complaints, close } = await visit(browser, { language, theme, width })
    const named = (/** @type {string} */ step) => `${step}-${language}-${theme}-${width}`
    const phase = (/** @type {string} */ name) =>
      page.locator(`#stage[data-phase="${name}"]`).waitFor({ timeout: cutWithin })

    await page.goto(`${demo.url}/demo/`)
    await page.locator('#person').selectOption(viewer)
    await look(page, named('before'))
    await page.locator('#sign-in').click()
    await phase('active')
    await page.locator('#claims dd').first().waitFor()
    await look(page, named('signed-in'))

    await page.locator('#leave').click()
    await phase('cut')
    const seconds = Number(await page.locator('#seconds').innerText())
    assert.ok(seconds > 0 && seconds * 1000 <= cutWithin, `cut off after ${seconds} s`)
    const sentence =
      language === 'ko' ? '회사 계정을 확인할 수 없었습니다.' : 'Your company account could not be confirmed.'
    assert.ok((await page.locator('#reason').innerText()).startsWith(sentence))
    await look(page, named('cut-off'))

    await page.locator('#return').click()
    await phase('anonymous')
    assert.deepEqual(complaints, [])
    await close()
  })
}
