// Munjigi with members of its own: a configuration, people, and a shop that they want to go to.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createServer as listen } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const binary = process.env.MUNJIGI_BIN ?? fileURLToPath(new URL('../bin/munjigi', import.meta.url))
const startsWithin = 30_000

export const password = 'correct horse battery'

/** @type {[realm: string, login: string, ...rest: string[]][]} */
const people = [
  ['staff', 'boss', '--name', 'Boss', '--role', 'admin'],
  ['members', 'kim', '--name', '김민수', '--email', 'kim@shop.example'],
  ['members', 'lee', '--name', 'Lee', '--email', 'lee@shop.example'],
  ['members', 'park', '--name', 'Park', '--email', 'park@shop.example'],
  ['members', 'han', '--name', 'Han'],
  ['members', 'oh', '--name', 'Oh', '--email', 'oh@shop.example'],
  ['members', 'jung', '--name', '정하늘'],
  ['members', 'choi', '--name', '최서연', '--email', 'choi@shop.example'],
  ['shared', 'store', '--name', '동대문상회'],
]

/**
 * A realm where two sessions are refused a third, one where the newest displaces the others, and the staff's.
 * @param {{ url: string, port: number, shop: string, mail: string }} at
 */
const configuration = ({ url, port, shop, mail }) => `url: ${url}
listen: 127.0.0.1:${port}
database: sqlite:munjigi.db
seal_key_file: munjigi.key
console: staff
realms:
  staff:
    password: {}
  members:
    password: {sign_up: true}
    session: {per_account: 2, when_full: refuse}
  shared:
    password: {}
    session: {per_account: 1, when_full: replace}
apps:
  shop: {realm: members, origins: ["${shop}"], services: [market]}
  till: {realm: shared, origins: ["${shop}"], services: [market]}
services:
  market: {url: "http://127.0.0.1:1", realms: [members, shared]}
${mail}`

/** A port that was free a moment ago: the configuration has to name one. */
async function freePort() {
  const server = listen().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** The page of a shop: whoever arrives there has signed in. */
async function openShop() {
  const server = createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html')
    response.end('<!doctype html><title>Shop</title><h1>Shop</h1>')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  return { url: `http://localhost:${port}`, close: () => server.close() }
}

/**
 * @param {string} dir
 * @param {string[]} args
 * @param {string} [input]
 */
function run(dir, args, input = '') {
  const { status, stdout, stderr } = spawnSync(binary, args, { cwd: dir, input, encoding: 'utf8' })
  if (status !== 0) throw new Error(`munjigi ${args.join(' ')}: ${status}\n${stderr}`)
  return stdout
}

/** Starts Munjigi and adds the people. */
export async function startMembers({ mail = '' } = {}) {
  const dir = await mkdtemp(join(tmpdir(), 'munjigi-members-'))
  const shop = await openShop()
  const port = await freePort()
  const url = `http://localhost:${port}`
  // init makes the seal key; its configuration is not the one of this test.
  const answers = ['--provider', 'http://127.0.0.1:1', '--client-id', 'x', '--client-secret-file', '-']
  run(
    dir,
    ['init', '--url', url, ...answers, '--domain', 'example.com', '--admin', 'boss@example.com', '-c', 'init.yaml'],
    'x',
  )
  await writeFile(join(dir, 'munjigi.yaml'), configuration({ url, port, shop: shop.url, mail }))
  const child = spawn(binary, ['serve'], { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] })
  const lines = /** @type {string[]} */ ([])
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => lines.push(line))
  const ended = once(child, 'exit')

  async function stop() {
    child.kill('SIGTERM')
    await ended
    shop.close()
    await rm(dir, { recursive: true, force: true })
  }
  const until = Date.now() + startsWithin
  try {
    while (!(await fetch(`${url}/readyz`).catch(() => null))?.ok) {
      if (Date.now() > until || child.exitCode !== null) throw new Error(`not ready:\n${lines.join('\n')}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    for (const [realm, login, ...rest] of people)
      run(dir, ['members', 'add', login, '--realm', realm, '--password-file', '-', ...rest], `${password}\n`)
  } catch (error) {
    await stop()
    throw error
  }
  return { url, shop: shop.url, dir, run: (/** @type {string[]} */ ...args) => run(dir, args), stop }
}
