// `munjigi demo` as a process of its own: Munjigi, the company's provider, the services and the shops, on free ports.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const binary = process.env.MUNJIGI_BIN ?? fileURLToPath(new URL('../bin/munjigi', import.meta.url))
const ports = 7
const startsWithin = 30_000

/**
 * @param {number} port
 * @returns {Promise<boolean>}
 */
async function isFree(port) {
  const server = createServer()
  try {
    server.listen(port, 'localhost')
    await once(server, 'listening')
    return true
  } catch {
    return false
  } finally {
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  }
}

/** The first of so many free ports in a row, below those that the system gives away by itself. */
async function freeRange() {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 10_000)
    const free = await Promise.all(Array.from({ length: ports }, (_, i) => isFree(first + i)))
    if (free.every(Boolean)) return first
  }
}

/**
 * What demo.json says, and how to end the demo.
 * @typedef {{
 *   url: string, provider: string, services: Record<string, string>, shop: string, wholesale: string,
 *   members: { login: string, password: string, name: string }[], log: () => string, stop: () => Promise<void>,
 * }} Demo
 */

/**
 * Starts the demo and waits for its `ready` line.
 * @param {(configuration: string) => string} [edit] changes what the demo has written, as its owner would, before it starts again
 * @returns {Promise<Demo>}
 */
export async function startDemo(edit) {
  const dir = await mkdtemp(join(tmpdir(), 'munjigi-demo-'))
  const listen = `localhost:${await freeRange()}`
  let demo = await run(dir, listen)
  if (edit) {
    await demo.stop()
    const file = join(dir, 'munjigi.yaml')
    await writeFile(file, edit(await readFile(file, 'utf8')))
    demo = await run(dir, listen)
  }
  const { stop, ...rest } = demo
  return {
    ...rest,
    stop: async () => {
      await stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/**
 * @param {string} dir
 * @param {string} listen
 * @returns {Promise<Demo>}
 */
async function run(dir, listen) {
  const child = spawn(binary, ['demo', '--listen', listen, '--dir', dir], { stdio: ['ignore', 'pipe', 'pipe'] })
  const lines = /** @type {string[]} */ ([])
  createInterface({ input: child.stderr }).on('line', (line) => lines.push(line))
  const ended = once(child, 'exit')

  const ready = new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready:\n${lines.join('\n')}`)), startsWithin)
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line)
      if (!line.startsWith('ready ')) return
      clearTimeout(timer)
      resolve(undefined)
    })
    child.once('error', reject)
    child.once('exit', (status) => reject(new Error(`ended with ${status}:\n${lines.join('\n')}`)))
  })

  async function stop() {
    child.kill('SIGTERM')
    await ended
  }
  try {
    await ready
    const sites = JSON.parse(await readFile(join(dir, 'demo.json'), 'utf8'))
    return { ...sites, log: () => lines.join('\n'), stop }
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
}
