import { createSession } from '@munjigi/client'
import { vi } from 'vitest'

/** What a scripted server answers: a status with a body, or a function that throws, waits or counts. */
export type Reply = (request: Seen) => Response | Promise<Response>

export interface Seen {
  method: string
  path: string
  headers: Record<string, string>
  body: unknown
  credentials: string | undefined
}

export const start = 1_790_000_000_000

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Response {
  const text = status === 204 || status === 202 ? null : JSON.stringify(body)
  return new Response(text, { status, headers: { 'Content-Type': 'application/json', ...headers } })
}

export function problem(status: number, code: string, more: Record<string, unknown> = {}): Response {
  return json(status, { status, code, ...more })
}

/** The answer of a renewal: the token's text bears its number. */
export function renewed(number: number, sid = 'sid-a', at = Date.now()): Response {
  const seconds = Math.floor(at / 1000)
  return json(200, {
    access_token: `token-${number}`,
    token_type: 'Bearer',
    issued_at: seconds,
    expires_at: seconds + 300,
    account: { id: `account-of-${sid}`, realm: 'staff', name: 'Kim', roles: ['admin'] },
    session: { id: sid, generation: number, started_at: seconds, ends_at: seconds + 86_400 },
  })
}

/**
 * A session of a browser whose hint cookie names `sid-a`, against a server whose routes are functions; calls outside of
 * the session meet the same server. Whatever a test does not script is a failure of that test.
 */
export function scripted(routes: Record<string, Reply>) {
  const seen: Seen[] = []
  const world = { online: true, cookies: 'munjigi-staff-hint=sid-a.1' }
  const send: typeof fetch = async (input, init = {}) => {
    const path = String(input).replace('https://office.example', '')
    const method = init.method ?? 'GET'
    const body = typeof init.body === 'string' ? JSON.parse(init.body) : null
    const headers = init.headers as Record<string, string>
    const request = { method, path, headers, body, credentials: init.credentials }
    seen.push(request)
    const reply = routes[`${method} ${path}`]
    if (!reply) throw new Error(`not scripted: ${method} ${path}`)
    await Promise.resolve()
    return reply(request)
  }
  vi.stubGlobal('fetch', send)
  const document = {
    documentElement: { lang: 'ko' },
    get cookie() {
      return world.cookies
    },
  }
  const location = new URL('https://office.example/')
  vi.stubGlobal('document', document)
  const navigator = {
    get onLine() {
      return world.online
    },
  }
  vi.stubGlobal('navigator', navigator)
  vi.stubGlobal('BroadcastChannel', undefined) // one test is no tab of another
  vi.stubGlobal('window', { document, location, navigator, addEventListener() {}, removeEventListener() {} })
  const session = createSession({
    url: 'https://office.example',
    app: 'console',
    realm: 'staff',
    fetch: send,
  })
  const count = (method: string, path: string) => seen.filter((it) => it.method === method && it.path === path).length
  return { session, seen, world, count }
}
