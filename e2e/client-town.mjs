// Two front ends of one realm on origins of their own, a real Munjigi, and a stand-in for the network before it, which
// counts session calls and fails as it is told.

import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, request as httpRequest } from 'node:http'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { chromium } from 'playwright-core'
import { startProvider } from './provider.mjs'
import { eventually, freePort, startMunjigi } from './provider-munjigi.mjs'

const packages = createRequire(import.meta.url)
const read = (path) => readFile(path, 'utf8')
const readOf = (name, path) => read(join(dirname(packages.resolve(`${name}/package.json`)), 'dist', path))
const scripts = {
  '/client.js': await read(new URL('../packages/client/dist/munjigi-client.iife.js', import.meta.url)),
  '/axios.js': await readOf('axios', 'axios.min.js'),
  '/vue.js': await readOf('vue', 'vue.runtime.global.prod.js'),
  '/router.js': await readOf('vue-router', 'vue-router.global.prod.js'),
  '/page.js': await read(new URL('client-page.js', import.meta.url)),
}
export const rounds = process.env.MUNJIGI_SOAK ? 20 : 3
/** Long enough after a rotation for the next renewal to be another one. */
export const graceMs = 8000
export const windows =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'
const linux = windows.replace('Windows NT 10.0; Win64; x64', 'X11; Linux x86_64')

/** Chromium as people have it: with the back/forward cache, which Playwright takes away. */
export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  })
}

/** @typedef {{ calls: number, log: string[], audiences: string[], emails: string[], answer?: Answer, api?: Answer }} Seen */
/** @typedef {(req: import('node:http').IncomingMessage, res: import('node:http').ServerResponse, on: (lost?: boolean) => void) => void} Answer */

/** What Munjigi says of errors has CORS headers, so what stands in for it has them too. */
export function respond(res, req, status, body = '', type = 'text/html') {
  const headers = {
    'access-control-allow-origin': req.headers.origin ?? '*',
    'access-control-allow-credentials': 'true',
  }
  res.writeHead(status, { ...headers, 'content-type': type }).end(body)
}

async function listen(handler, port = 0) {
  const server = createServer(handler).listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = /** @type {import('node:net').AddressInfo} */ (server.address())
  return { server, origin: `http://127.0.0.1:${address.port}` }
}

/** Which visitor a request is of: cookies do not know ports, so each front end sees it as well. */
const visitorOf = (req) => /(?:^|; )visitor=(\w+)/.exec(req.headers.cookie ?? '')?.[1] ?? ''

/** Sends a request on to Munjigi; a lost one arrives, and its answer does not. */
function forward(req, res, port, lost) {
  const { method, url: path, headers } = req
  const onward = httpRequest({ host: '127.0.0.1', port, method, path, headers }, (answer) => {
    if (lost) return answer.resume().on('end', () => res.destroy())
    res.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
    answer.pipe(res)
  })
  onward.on('error', () => res.destroy())
  req.pipe(onward)
}

/** A service that refuses what bears no token, and keeps who called, with a token for whom. */
function service(req, res, seen) {
  const token = /^Bearer (.+)$/.exec(req.headers.authorization ?? '')?.[1]
  seen.log.push('api')
  if (!token) return respond(res, req, 401, '{"code":"token_missing"}', 'application/json')
  if (seen.api) return seen.api(req, res, () => {})
  const { aud, email } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString())
  seen.audiences.push(String(aud))
  seen.emails.push(email)
  req.resume().on('end', () => respond(res, req, 200, '{}', 'application/json'))
}

function pageOf(app, url) {
  return `<!doctype html><title>${app}</title><meta name="app" content="${app}"><meta name="auth" content="${url}">
<div id="app"></div>${Object.keys(scripts)
    .map((src) => `<script src="${src}"></script>`)
    .join('')}`
}

/** No inline script, no eval: a front end under the strictest policy that can work. */
const policy = (...origins) => `default-src 'none'; script-src 'self'; connect-src 'self' ${origins.join(' ')}`

export async function startTown() {
  const visitors = /** @type {Map<string, Seen>} */ (new Map())
  const seenBy = (req) => visitors.get(visitorOf(req)) ?? { calls: 0, log: [], audiences: [], emails: [] }
  const inside = await freePort()

  const front = await listen((req, res) => {
    const on = (lost = false) => forward(req, res, inside, lost)
    if (req.method !== 'POST' || req.url !== '/session') return on()
    const seen = seenBy(req)
    seen.calls++
    seen.log.push('session')
    seen.answer ? seen.answer(req, res, on) : on()
  })
  const away = /** @type {import('node:http').IncomingMessage[]} */ ([])
  const elsewhere = await listen((req, res) => {
    away.push(req)
    respond(res, req, 200, '{}', 'application/json')
  })
  const site = (app) =>
    listen((req, res) => {
      const { pathname } = new URL(req.url ?? '', 'http://site')
      if (pathname.startsWith('/api/')) return service(req, res, seenBy(req))
      if (pathname === '/plain') return respond(res, req, 200, '<!doctype html><title>plain</title>')
      if (scripts[pathname]) return respond(res, req, 200, scripts[pathname], 'text/javascript')
      res.setHeader('content-security-policy', policy(front.origin, elsewhere.origin))
      respond(res, req, 200, pageOf(app, front.origin))
    })
  const [shop, wholesale] = [await site('shop'), await site('wholesale')]

  const people = Array.from({ length: 300 }, (_, i) => ({ email: `p${i}@example.com`, name: `p${i}` }))
  const provider = await startProvider({ people, redirectUris: [`${front.origin}/sign-in/staff/callback`] })
  const munjigi = await startMunjigi({
    port: Number(new URL(front.origin).port),
    listen: inside,
    provider,
    recheck: '{every: 10m, max_stale: 4h}',
    session: `{access: 5m, renew_grace: ${graceMs}ms, per_account: 1, when_full: replace, lost_answers: 9}`,
    apps: `
  shop: {realm: staff, origins: ["${shop.origin}"], services: [wishlist]}
  wholesale: {realm: staff, origins: ["${wholesale.origin}"], services: [market]}
  club: {realm: members, origins: ["${shop.origin}"], services: [market]}`,
    members: '{access: 5m, per_account: 1, when_full: refuse}',
  })
  let last = 0

  return {
    url: front.origin,
    shop: shop.origin,
    wholesale: wholesale.origin,
    /** An origin that tokens are not for, and what was asked of it. */
    elsewhere: elsewhere.origin,
    away,
    /** A member of the club, with a password. */
    join: async (login, password) => {
      await writeFile(join(munjigi.dir, login), password, { mode: 0o600 })
      await munjigi.command('members', 'add', login, '--password-file', login)
    },
    /** Somebody nobody has been yet. */
    stranger: () => `p${last++}@example.com`,
    watch: (name, seen) => visitors.set(name, seen),
    stop: async () => {
      await munjigi.stop()
      await provider.close()
      for (const { server } of [front, shop, wholesale, elsewhere]) {
        server.close()
        server.closeAllConnections()
      }
    },
  }
}

let names = 0

/**
 * A browser of one person's own, signed in. `seen` is what the servers saw of it; `seen.answer` takes the place of
 * the way of a renewal to Munjigi.
 */
export async function visit(town, browser, { email = town.stranger(), userAgent = linux, first = '' } = {}) {
  const context = await browser.newContext({ userAgent })
  const seen = /** @type {Seen} */ ({ calls: 0, log: [], audiences: [], emails: [] })
  const name = `v${names++}`
  town.watch(name, seen)
  await context.addCookies([{ name: 'visitor', value: name, url: town.url }])
  const tab = await context.newPage()
  await signIn(town, tab, email, first)
  return {
    context,
    email,
    seen,
    tab,
    /** Another tab of it. */
    async open(address = town.shop) {
      const other = await context.newPage()
      await other.goto(address)
      return other
    },
    generation: async () => {
      const hint = (await context.cookies()).find((cookie) => cookie.name === 'munjigi-staff-hint')
      return Number(hint?.value.split('.')[1])
    },
    close: () => context.close(),
  }
}

export async function signIn(town, tab, email, first = '') {
  // The provider would take whom it knows.
  for (const { name } of await tab.context().cookies())
    if (name.startsWith('_')) await tab.context().clearCookies({ name })
  const query = new URLSearchParams({ app: 'shop', return_to: `${town.shop}/${first}`, login_hint: email })
  await tab.goto(`${town.url}/sign-in/staff?${query}`)
  if (!tab.url().startsWith(town.shop)) throw new Error(`arrived at ${tab.url()}`)
}

const wires = new WeakMap()

/** Chromium's own way into a page, which the page's policy does not stop. */
export async function wire(tab) {
  if (!wires.has(tab)) wires.set(tab, await tab.context().newCDPSession(tab))
  return wires.get(tab)
}

export async function run(tab, expression) {
  const { result, exceptionDetails } = await (await wire(tab)).send('Runtime.evaluate', {
    expression,
    awaitPromise: true,
    returnByValue: true,
  })
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
  return result.value
}

/** Waits until an expression is true in the page. */
export const until = (tab, expression, within = 15_000) =>
  eventually(within, async () => {
    if (!(await run(tab, expression).catch(() => false))) throw new Error(`not in time: ${expression}`)
  })

/** Signed in, with a token that this page takes for expired. */
export async function expired(tab) {
  await run(tab, 'session.ready()')
  await run(tab, `void (ahead += ${3_600_000})`)
}
