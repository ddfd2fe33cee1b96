import { vi } from 'vitest'
import { type Config, createSession, type Session } from '../src/index'

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
    const signal = init?.signal ?? request.signal
    const gone = new Promise<never>((_, reject) => {
      const abort = () => reject(signal.reason)
      if (signal.aborted) abort()
      signal.addEventListener('abort', abort)
    })
    await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, this.latency))])
    return Promise.race([gone, this.respond(request)])
  }

  private respond(request: Request): Response | Promise<Response> {
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
export function air() {
  const all = new Set<Channel>()
  class Channel {
    onmessage: ((event: MessageEvent) => unknown) | null = null
    constructor() {
      all.add(this)
    }
    postMessage(message: unknown) {
      for (const other of all)
        if (other !== this)
          setTimeout(() => all.has(other) && other.onmessage?.({ data: structuredClone(message) } as MessageEvent), 1)
    }
    close() {
      all.delete(this)
    }
  }
  return Object.assign(Channel, { all })
}

/** Web Locks of one origin: one holder at a time. */
export function locks() {
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
  return { request: vi.fn(request), held: () => held }
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

interface Browser {
  href?: string
  locks?: unknown
  channel?: unknown
  storage?: unknown
}

/** What of a browser the client touches; `fire` is an event of the page. */
export function browser(server: Server, { href = 'https://app.test/', locks, channel, storage }: Browser = {}) {
  const document = {
    hidden: false,
    get cookie() {
      return server.cookies
    },
  }
  const location = Object.assign(new URL(href), { assign: vi.fn() })
  const view = Object.assign(new EventTarget(), { document, location })
  const navigator = { onLine: true, locks }
  vi.stubGlobal('window', view)
  vi.stubGlobal('document', document)
  vi.stubGlobal('navigator', navigator)
  vi.stubGlobal('BroadcastChannel', channel)
  vi.stubGlobal('localStorage', storage)
  const fire = (event: string) => view.dispatchEvent(new Event(event))
  return { document, location, navigator, fire }
}

/** A page that may hold a session of `server`. */
export function page(server: Server, config: Partial<Config> = {}): Session {
  return createSession({
    url: auth,
    app: 'tools',
    realm: 'staff',
    origins: [api],
    hint: true,
    fetch: server.fetch,
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
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
    now: 1_790_000_000_000,
  })
  vi.spyOn(Math, 'random').mockReturnValue(0.5)
  // The browser's own time-outs are no timers, and leave none behind.
  limits.clear()
  vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
    const stop = new AbortController()
    const timer = setTimeout(() => stop.abort(new DOMException('late', 'TimeoutError')), ms)
    limits.add(timer)
    return stop.signal
  })
}

const limits = new Set<ReturnType<typeof setTimeout>>()

/** How many timers the client has left behind. */
export function timers(): number {
  for (const limit of limits) clearTimeout(limit)
  return vi.getTimerCount()
}
