import { asProblem, type Problem, SessionError } from './error'
import { tick, type World } from './world'

const patience = 300_000 // as long as we believe a server that asks us to wait

/** One answer of the server: its body, and its clock (milliseconds; 0 = it did not say). */
export interface Reply {
  body: unknown
  date: number
}

/** One call to Munjigi itself. Rejects with a SessionError for everything but a 2xx. */
export async function ask(world: World, path: string, init: RequestInit, limit = world.attempt): Promise<Reply> {
  if (!world.online()) throw new SessionError('E_OFFLINE')
  const stop = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new SessionError('E_TIMEOUT'))
      stop.abort()
    }, limit)
  })
  try {
    return await Promise.race([late, exchange(world, path, { ...init, signal: stop.signal })])
  } catch (cause) {
    if (cause instanceof SessionError) throw cause
    throw new SessionError(world.online() ? 'E_NETWORK' : 'E_OFFLINE', { cause })
  } finally {
    clearTimeout(timer)
  }
}

async function exchange(world: World, path: string, init: RequestInit): Promise<Reply> {
  const headers: Record<string, string> = { Accept: 'application/json', 'Munjigi-App': world.app }
  if (init.body) headers['Content-Type'] = 'application/json'
  const response = await world.fetch(world.url + path, {
    ...init,
    headers,
    credentials: 'include',
    redirect: 'error',
    cache: 'no-store',
    keepalive: true, // so that the new cookie lands even when the page goes meanwhile
  })
  const body: unknown = await response.json().catch(() => null)
  const date = Date.parse(response.headers.get('Date') ?? '') || 0
  if (!response.ok) throw refusal(response, body, date || world.now())
  return { body, date }
}

function refusal({ status, headers }: Response, body: unknown, now: number): SessionError {
  const problem = asProblem(body)
  const header = headers.get('Retry-After') ?? problem?.retry_after
  const wait = Number(header) * 1000 || Date.parse(`${header}`) - now || 0
  const local =
    status === 429
      ? 'E_RATE_LIMITED'
      : status >= 500
        ? 'E_SERVER'
        : !problem
          ? 'E_BAD_RESPONSE'
          : /^(origin|request)_/.test(problem.code) && 'E_CONFIG'
  const retryAfter = Math.max(0, Math.min(wait, patience))
  return new SessionError(local || (problem as Problem).code, { status, retryAfter, problem })
}

/** A number of attempts, for what a second attempt may mend: no connection, and a proxy without its server. */
export async function insist(world: World, path: string, init: RequestInit): Promise<Reply> {
  const until = tick() + world.limit
  for (let n = 0; ; n++) {
    try {
      return await ask(world, path, init, Math.min(world.attempt, until - tick()))
    } catch (error) {
      const { code, status, retryAfter } = error as SessionError
      const pause = backoff(world, n)
      const again = code === 'E_NETWORK' || (status > 501 && status < 505 && !retryAfter)
      if (n > 1 || !again || tick() + pause >= until) throw error
      await new Promise((resolve) => setTimeout(resolve, pause))
    }
  }
}

/** Half a second, doubled each time, ±20 %, at most half a minute. */
export function backoff(world: World, n: number): number {
  return Math.min(500 * 2 ** n, 30_000) * (0.8 + 0.4 * world.random())
}
