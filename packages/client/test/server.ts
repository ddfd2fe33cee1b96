import { vi } from 'vitest'
import { type Channel, type Config, createSession, type Session } from '../src/index'

export const auth = 'https://auth.test'
export const api = 'https://api.test'

type Script = (request: Request, answer: () => Response) => Response | Promise<Response>

/** Munjigi and a service behind it, as far as a browser can tell, on the fake clock. */
export class Server {
  calls: Request[] = []
  renewals = 0
  deletes = 0
  sid = 'S1'
  generation = 1
  lifetime = 300
  skew = 0
  hint = true
  account = 'kim'
  /** Takes the place of the answer to a renewal. */
  script: Script = (_, answer) => answer()
  /** Takes the place of the service's answer. */
  service: Script = (_, answer) => answer()
  latency = 20
  signIn: () => Response = () => this.answer()

  seconds(): number {
    return Math.floor(Date.now() / 1000 + this.skew)
  }

  json(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
    const date = new Date(this.seconds() * 1000).toUTCString()
    return new Response(JSON.stringify(body), { status, headers: { Date: date, ...headers } })
  }

  problem(status: number, code: string, more: object = {}, headers: Record<string, string> = {}): Response {
    return this.json({ code, status, ...more }, status, headers)
  }

  answer(service = ''): Response {
    this.generation++
    const now = this.seconds()
    return this.json({
      access_token: [this.sid, this.generation, now + this.lifetime, service].join('~'),
      issued_at: now,
      expires_at: now + this.lifetime,
      account: { id: this.account, realm: 'staff', roles: ['viewer'] },
      session: { id: this.sid, generation: this.generation, started_at: 0, ends_at: now + 86_400 },
    })
  }

  fetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, { ...init, keepalive: false })
    this.calls.push(request)
    const delay = new Promise((resolve, reject) => {
      setTimeout(resolve, this.latency)
      const signal = init?.signal ?? request.signal
      const abort = () => reject(signal.reason)
      if (signal.aborted) abort()
      signal.addEventListener('abort', abort)
    })
    await delay
    if (request.url.startsWith(`${auth}/session`)) return this.own(request)
    if (request.url.startsWith(`${auth}/sign-in`)) return this.signIn()
    return this.service(request, () => this.checked(request))
  }

  private async own(request: Request): Promise<Response> {
    if (request.method === 'GET') return this.json({ account: {} })
    if (request.method === 'DELETE') {
      this.deletes++
      return this.script(request, () => new Response(null, { status: 204 }))
    }
    this.renewals++
    const { service } = (await request.clone().json()) as { service?: string }
    return this.script(request, () => this.answer(service))
  }

  private checked(request: Request): Response {
    const token = /^Bearer (.*)$/.exec(request.headers.get('Authorization') ?? '')?.[1]
    if (!token) return this.problem(401, 'token_missing')
    const [, , until] = token.split('~')
    if (Number(until) <= this.seconds()) return this.problem(401, 'token_expired')
    return this.json({ hello: token })
  }

  get cookies(): string {
    return this.hint ? `a=b; munjigi-staff-hint=${this.sid}.${this.generation}; c=d` : 'a=b'
  }
}

/** The channels of one origin, each a tab's. */
export function air(): (name: string) => Channel {
  const open = new Set<Channel>()
  return () => {
    const own: Channel = {
      onmessage: null,
      postMessage(message) {
        for (const other of open) {
          if (other !== own)
            setTimeout(
              () => open.has(other) && other.onmessage?.({ data: structuredClone(message) } as MessageEvent),
              1,
            )
        }
      },
      close: () => open.delete(own),
    }
    open.add(own)
    return own
  }
}

/** Web Locks of one origin: one holder at a time. */
export function locks(): NonNullable<Config['locks']> {
  let last = Promise.resolve()
  let held = 0
  const request = async (_: string, options: LockOptions, work: (lock: unknown) => unknown) => {
    if (options.ifAvailable && held) return work(null)
    held++
    const before = last
    let resolve = () => {}
    const over = new Promise<void>((done) => {
      resolve = done
    })
    last = before.then(() => over)
    try {
      await new Promise<void>((go, stop) => {
        before.then(go)
        options.signal?.addEventListener('abort', () => stop(options.signal?.reason))
      })
      return await work({})
    } finally {
      held--
      resolve()
    }
  }
  return { request: request as LockManager['request'] }
}

/** What would be in a page's storage. */
export function storage() {
  const kept = new Map<string, string>()
  return {
    kept,
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => void kept.set(name, value),
    removeItem: (name: string) => void kept.delete(name),
  }
}

/** A page that holds a session of `server`. */
export function page(server: Server, config: Partial<Config> = {}): Session {
  return createSession({
    url: auth,
    app: 'tools',
    realm: 'staff',
    origins: [api],
    hint: true,
    fetch: server.fetch,
    cookies: () => server.cookies,
    random: () => 0.5,
    ...config,
  })
}

export const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

/** Waits on the fake clock, as long as needed. */
export async function settle<T>(work: Promise<T>): Promise<T> {
  let over = false
  const watched = work.finally(() => {
    over = true
  })
  watched.catch(() => {})
  for (let n = 0; !over && n < 4000; n++) await pass(10)
  return watched
}

export const codes = (results: PromiseSettledResult<unknown>[]) => [
  ...new Set(results.map((it) => (it.status === 'rejected' ? it.reason.code : 'fine'))),
]

export const many = <T>(n: number, work: (i: number) => Promise<T>) =>
  Promise.allSettled(Array.from({ length: n }, (_, i) => work(i)))

/** A page with a token that has run out. */
export async function expired(server: Server, config: Partial<Config> = {}): Promise<Session> {
  const session = page(server, config)
  await settle(session.renew())
  await pass((server.lifetime + 1) * 1000)
  server.renewals = 0
  server.calls = []
  return session
}

export function clock(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'], now: 1_790_000_000_000 })
}
