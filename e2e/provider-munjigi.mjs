// The real program as a process of its own, with a configuration made for one test.

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Browser } from './browser.mjs'

const binary = process.env.MUNJIGI_BIN ?? fileURLToPath(new URL('../bin/munjigi', import.meta.url))
const run = promisify(execFile)

/** A loopback port that nobody listens on. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  server.close()
  await once(server, 'close')
  return port
}

/** Tries until it does not throw, and gives what it returned. */
export async function eventually(within, attempt) {
  const deadline = performance.now() + within
  for (;;) {
    try {
      return await attempt()
    } catch (err) {
      if (performance.now() > deadline) {
        throw err
      }
      await sleep(50)
    }
  }
}

const configuration = ({ port, listen, issuer, clientId, recheck, session, apps, members }) => `
url: http://127.0.0.1:${port}
listen: 127.0.0.1:${listen}
database: sqlite:munjigi.db
seal_key_file: munjigi.key
console: staff
realms:
  staff:
    oidc: {issuer: "${issuer}", client_id: ${clientId}, client_secret_file: provider.secret, domains: [example.com]}
    roles: {admin: [boss@example.com], editor: ["group:platform"], viewer: ["domain:example.com"]}
    session: ${session}
    recheck: ${recheck}
  members: {password: {}, session: ${members}}
apps: ${apps}
services:
  wishlist: {url: "http://127.0.0.1:1", realms: [staff]}
  market: {url: "http://127.0.0.1:1", realms: [staff, members]}
`

/**
 * @param {object} options
 * @param {number} options.port
 * @param {{ issuer: string, clientId: string, clientSecret: string }} options.provider
 * @param {string} [options.recheck] YAML of the realm's recheck
 * @param {string} [options.session] YAML of the realm's session policy
 * @param {number} [options.listen] where it listens, when something stands before it at `port`
 * @param {string} [options.apps] YAML of the front ends
 * @param {string} [options.members] YAML of the session policy of members, who have passwords
 */
export async function startMunjigi({
  port,
  provider,
  recheck = '{every: 2s, max_stale: 4h}',
  session = '{access: 5m, renew_grace: 1s}',
  listen = port,
  apps = `{tools: {realm: staff, origins: ["http://127.0.0.1:${port}"], services: [wishlist]}}`,
  members = '{access: 5m}',
}) {
  const url = `http://127.0.0.1:${port}`
  const dir = await mkdtemp(join(tmpdir(), 'munjigi-e2e-'))
  const { issuer, clientId, clientSecret } = provider
  const command = (...args) => run(binary, args, { cwd: dir })
  await writeFile(join(dir, 'secret'), clientSecret)
  // init makes the seal key; its configuration is not the one of this test.
  const flags = { url: 'http://127.0.0.1:1', provider: issuer, 'client-id': clientId, 'client-secret-file': 'secret' }
  const answers = { ...flags, domain: 'example.com', admin: 'boss@example.com', config: 'init.yaml' }
  await command('init', ...Object.entries(answers).flatMap(([name, value]) => [`--${name}`, value]))
  await writeFile(
    join(dir, 'munjigi.yaml'),
    configuration({ port, listen, issuer, clientId, recheck, session, apps, members }),
  )

  const log = /** @type {string[]} */ ([])
  const child = spawn(binary, ['serve', '--config', 'munjigi.yaml'], { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'exit')
  child.stdout.setEncoding('utf8').on('data', (text) => log.push(text))
  child.stderr.setEncoding('utf8').on('data', (text) => log.push(text))
  await eventually(20_000, async () => {
    if (child.exitCode !== null) {
      throw new Error(`munjigi ended with ${child.exitCode}:\n${log.join('')}`)
    }
    const ready = await fetch(`http://127.0.0.1:${listen}/readyz`)
    if (!ready.ok) {
      throw new Error(`not ready: ${ready.status}`)
    }
  })
  return {
    url,
    dir,
    command: (...args) => command(...args, '--config', 'munjigi.yaml'),
    log: () => log.join(''),
    stop: async () => {
      child.kill()
      await ended
      await rm(dir, { recursive: true })
    },
  }
}

/** Somebody with a browser of their own at Munjigi. */
export class Visitor {
  constructor(url, email, browser = new Browser()) {
    this.url = url
    this.email = email
    this.browser = browser
  }

  /** Where a sign-in begins. */
  get signInAddress() {
    return `${this.url}/sign-in/staff?${new URLSearchParams({ app: 'tools', return_to: '/healthz', login_hint: this.email })}`
  }

  /** Signs in; throws unless that ends where it should, with a session. */
  async signIn() {
    const { address, response } = await this.browser.follow(this.signInAddress)
    await response?.body?.cancel()
    if (address !== `${this.url}/healthz` || !this.cookie) {
      throw new Error(`${this.email} arrived at ${address}`)
    }
    return this
  }

  /** Goes to the provider and stops before its callback, whose address it returns. */
  async callback() {
    const { address } = await this.browser.follow(this.signInAddress, (next) =>
      next.startsWith(`${this.url}/sign-in/staff/callback`),
    )
    return address
  }

  /** The refresh cookie. */
  get cookie() {
    return this.browser.cookies(this.url)['munjigi-staff']
  }

  /** Calls the session API or an administrator's route; the code of a problem document comes as `code`. */
  async call(method, path, body, app = 'tools') {
    const headers = { origin: this.url, 'munjigi-app': app, ...(body && { 'content-type': 'application/json' }) }
    const response = await this.browser.fetch(this.url + path, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, ...(text && JSON.parse(text)) }
  }

  renew(more = {}) {
    return this.call('POST', '/session', { app: 'tools', ...more })
  }

  /** Who am I: writes nothing, rotates nothing. */
  whoAmI() {
    return this.call('GET', '/session')
  }

  admin(method, path, body) {
    return this.call(method, `/admin${path}`, body, 'console')
  }
}

/** Runs n jobs at a time. */
export async function pool(n, items, job) {
  const left = items.entries()
  const results = []
  const work = async () => {
    for (const [i, item] of left) {
      results[i] = await job(item, i)
    }
  }
  await Promise.all(Array.from({ length: n }, work))
  return results
}
