// The browser client beside others: the same cases, the same toy server, real Chromium. Prints one table.
//
//	node bench/client/main.mjs            # a table
//	node bench/client/main.mjs --json     # the same for programs
//	node bench/client/main.mjs --markdown # the same for docs

import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { chromium } from 'playwright-core'
import { rolldown } from 'rolldown'
import { cases } from './cases.mjs'
import { startServer } from './server.mjs'

const names = ['ours', 'axios-auth-refresh', 'textbook', 'supertokens-website']
const hour = 3_600_000
const clock = `const real = Date.now; window.ahead = Number(new URLSearchParams(location.search).get('ahead')); Date.now = () => real() + window.ahead`

async function bundle(name, external = []) {
  const input = fileURLToPath(new URL(`clients/${name}.js`, import.meta.url))
  const build = await rolldown({ input, external, platform: 'browser', logLevel: 'silent' })
  const { output } = await build.generate({ format: external.length ? 'esm' : 'iife', minify: true })
  return output[0].code
}

/** What a client adds to a page that has axios anyway. */
const size = async (name) => `${(gzipSync(await bundle(name, ['axios']), { level: 9 }).length / 1000).toFixed(1)} kB`

/** One case with one client, from the sign-in on. */
async function measure(browser, pages, name, work) {
  const server = await startServer(pages)
  const context = await browser.newContext()
  let ahead = 0
  // Tabs of one machine have one clock.
  const open = async () => {
    const page = await context.newPage()
    await page.goto(`${server.url}/?client=${name}&ahead=${ahead}`)
    return page
  }
  try {
    const tab = await open()
    await tab.evaluate('client.enter().then(() => {})')
    const expire = async (tabs = [tab]) => {
      ahead += hour
      for (const it of tabs) await it.evaluate(`void (window.ahead += ${hour})`)
      server.expire()
    }
    await expire()
    return await work({ server, tab, open, expire })
  } catch (error) {
    return [`not measured: ${error.message.split('\n')[0]}`]
  } finally {
    await context.close()
    server.stop()
  }
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
})
const pages = { clock, ...Object.fromEntries(await Promise.all(names.map(async (it) => [it, await bundle(it)]))) }
const rows = []
for (const [title, work] of Object.entries(cases))
  rows.push([title, ...(await Promise.all(names.map((it) => measure(browser, pages, it, work))))])
rows.push(['size (min+gzip, without axios)', ...(await Promise.all(names.map(async (it) => [await size(it)])))])
await browser.close()

if (process.argv.includes('--json')) {
  const found = rows.map(([title, ...cells]) => ({
    case: title,
    ...Object.fromEntries(names.map((it, i) => [it, cells[i]])),
  }))
  process.stdout.write(`${JSON.stringify(found, null, 2)}\n`)
} else if (process.argv.includes('--markdown')) {
  const line = (cells) => `| ${cells.join(' | ')} |\n`
  process.stdout.write(line(['', ...names]) + line(['---', ...names.map(() => '---')]))
  for (const [title, ...cells] of rows) process.stdout.write(line([title, ...cells.map((it) => it.join(', '))]))
} else {
  process.stdout.write('client\n')
  for (const [title, ...cells] of rows) {
    process.stdout.write(`${title}\n`)
    for (const [i, cell] of cells.entries()) process.stdout.write(`  ${names[i].padEnd(20)} ${cell.join(', ')}\n`)
  }
}
