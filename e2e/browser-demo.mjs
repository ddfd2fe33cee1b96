// `munjigi demo` as a process of its own: Munjigi, the company's provider and the services, on five free ports.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const binary = process.env.MUNJIGI_BIN ?? fileURLToPath(new URL('../bin/munjigi', import.meta.url))
const ports = 5
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

/** The first of five free ports in a row, below those that the system gives away by itself. */
async function freeRange() {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 10_000)
    const free = await Promise.all(Array.from({ length: ports }, (_, i) => isFree(first + i)))
    if (free.every(Boolean)) return first
  }
}

/**
 * Starts the demo and waits for its `ready` line.
 * @returns {Promise<{ url: string, provider: string, log: () => string, stop: () => Promise<void> }>}
 */
export async function startDemo() {
  const dir = await mkdtemp(join(tmpdir(), 'munjigi-demo-'))
  const listen = `localhost:${await freeRange()}`
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
      resolve(line.slice('ready '.length).trim())
    })
    child.once('error', reject)
    child.once('exit', (status) => reject(new Error(`ended with ${status}:\n${lines.join('\n')}`)))
  })

  async function stop() {
    child.kill('SIGTERM')
    await ended
    await rm(dir, { recursive: true, force: true })
  }
  try {
    const url = await ready
    const { provider } = JSON.parse(await readFile(join(dir, 'demo.json'), 'utf8'))
    return { url, provider, log: () => lines.join('\n'), stop }
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
}
