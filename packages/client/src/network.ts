import { type Problem, SessionError } from './error'
import { bodyOf, online, pause, tick } from './world'

const attempt = 10_000
const limit = 12_000 // for all attempts together
const patience = 300_000 // as long as we believe a server that asks us to wait

/** One answer of the server: its body, and its clock (milliseconds; 0 = it did not say). */
export type Reply = readonly [body: unknown, date: number]

/** Half a second, doubled each time, ±20 %, at most half a minute. */
export const backoff = (n: number) => Math.min(500 * 2 ** n, 30_000) * (0.8 + 0.4 * Math.random())

/** The way to Munjigi itself. */
export function networkOf(base: string, app: string, send: typeof fetch) {
  /** One call. Rejects with a SessionError for everything but a 2xx. */
  async function ask(path: string, init?: RequestInit, most = attempt): Promise<Reply> {
    const signal = AbortSignal.timeout(most)
    let response: Response
    let body: unknown
    try {
      if (!online()) throw 0
      response = await send(base + path, {
        ...init,
        signal,
        headers: { 'Content-Type': 'application/json', 'Munjigi-App': app },
        credentials: 'include',
        redirect: 'error',
        cache: 'no-store',
        keepalive: true, // so that the new cookie lands even when the page goes meanwhile
      })
      body = await bodyOf(response)
      signal.throwIfAborted()
    } catch (cause) {
      throw new SessionError(signal.aborted ? 'E_TIMEOUT' : online() ? 'E_NETWORK' : 'E_OFFLINE', { cause })
    }
    const { status, headers } = response
    const date = Date.parse(headers.get('Date') as string) || 0
    if (response.ok) return [body, date]

    const problem = (body ?? null) as Problem | null
    const after = headers.get('Retry-After') as string
    const wait = Number(after) * 1000 || Date.parse(after) - (date || Date.now()) || 0
    const code = status === 429 ? 'E_RATE_LIMITED' : status > 499 ? 'E_SERVER' : (problem?.code ?? 'E_BAD_RESPONSE')
    throw new SessionError(code, { status, problem, retryAfter: Math.max(0, Math.min(wait, patience)) })
  }

  /** At most three attempts, for what another may mend: no connection, and a proxy without its server. */
  async function insist(path: string, init: RequestInit, n = 0, until = tick() + limit): Promise<Reply> {
    try {
      return await ask(path, init, Math.min(attempt, until - tick()) | 0)
    } catch (error) {
      const { code, status, retryAfter } = error as SessionError
      const wait = backoff(n)
      const again = code === 'E_NETWORK' || (status > 501 && status < 505 && !retryAfter)
      if (n > 1 || !again || tick() + wait >= until) throw error
      await pause(wait)
      return insist(path, init, n + 1, until)
    }
  }

  return [ask, insist] as const
}
