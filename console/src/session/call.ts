import { type Problem, type Session, SessionError } from '@munjigi/client'
import { useSession } from '@munjigi/client/vue'
import { usePlace } from './use-place'

const timeout = 10_000
const language = () => document.documentElement.lang

export interface CallInit {
  method?: string
  /** Sent as JSON. */
  body?: unknown
  signal?: AbortSignal
}

/** A request whose body is made already. */
export interface SendInit {
  method?: string
  content?: string | FormData | Blob
  headers?: Record<string, string>
  signal?: AbortSignal
  /** Milliseconds; 0 = as long as it takes. */
  limit?: number
}

/** One call to Munjigi's own routes: JSON there and back. Rejects with a SessionError. */
export type Call = <T>(path: string, init?: CallInit) => Promise<T>

/** One request with the session's token, whatever its answer is. Rejects with a SessionError when there is none. */
export type Send = (path: string, init?: SendInit) => Promise<Response>

/** What our own server says beyond what the client needs to know. */
export interface Told extends Problem {
  request?: string
  retry_after?: number
  errors?: { pointer: string; detail: string }[]
}

/** The problem that an error came with, if it came with one. */
export function toldBy(error: unknown): Told | null {
  return error instanceof SessionError ? error.problem : null
}

/** The code that tells people most: what the server said, else what went wrong on the way. */
export function codeOf(error: unknown): string {
  return error instanceof SessionError ? (error.problem?.code ?? error.code) : 'internal'
}

/** The session is over; the sign-in page says so. */
export function isOver(error: unknown): boolean {
  return error instanceof SessionError && error.status === 401 && error.code.startsWith('session_')
}

/** It may go away by itself, so that trying again makes sense. */
export function isPassing(error: unknown): boolean {
  return error instanceof SessionError && error.transient
}

/** Who calls: an access token, or the cookie and the app to read it for. */
interface Caller {
  token?: string
  app?: string
}

async function exchange(path: string, init: SendInit, { token, app }: Caller = {}): Promise<Response> {
  if (!navigator.onLine) throw new SessionError('E_OFFLINE')
  // What the server explains it explains in the language of the page.
  const headers: Record<string, string> = { Accept: 'application/json', 'Accept-Language': language(), ...init.headers }
  if (token) headers.Authorization = `Bearer ${token}`
  if (app) headers['Munjigi-App'] = app
  const { method = 'GET', content: body = null, limit = timeout } = init
  const signals = [init.signal, limit > 0 ? AbortSignal.timeout(limit) : undefined].filter((it) => it !== undefined)
  const signal = AbortSignal.any(signals)
  // With a token the cookie stays at home: one call, one proof of who calls.
  const credentials = token ? 'omit' : 'same-origin'
  try {
    return await fetch(path, { method, headers, body, signal, credentials, redirect: 'error', cache: 'no-store' })
  } catch (cause) {
    init.signal?.throwIfAborted()
    const late = cause instanceof DOMException && cause.name === 'TimeoutError'
    throw new SessionError(late ? 'E_TIMEOUT' : navigator.onLine ? 'E_NETWORK' : 'E_OFFLINE', { cause })
  }
}

function inJSON({ method, body, signal }: CallInit): SendInit {
  const writes = method !== undefined && method !== 'GET'
  return {
    ...(method ? { method } : {}),
    ...(signal ? { signal } : {}),
    ...(body === undefined ? {} : { content: JSON.stringify(body) }),
    ...(writes ? { headers: { 'Content-Type': 'application/json' } } : {}),
  }
}

// What a service says of its own tokens is no news of our session, unless it wants the person confirmed anew.
async function sessionProblem(response: Response): Promise<Told | null> {
  if (response.status !== 401) return null
  const problem = await problemOf(response.clone())
  const foreign = response.headers.get('Munjigi-From') === 'service'
  return foreign && problem?.code !== 'token_stale_check' ? null : problem
}

async function problemOf(response: Response): Promise<Told | null> {
  const body: unknown = await response.json().catch(() => null)
  return typeof body === 'object' && body !== null && 'code' in body && typeof body.code === 'string'
    ? (body as Told)
    : null
}

/** The error that an answer outside 2xx stands for. One that is not ours (a proxy's page) gets a code by its status. */
async function refusal(response: Response): Promise<SessionError> {
  const { status, headers } = response
  const problem = await problemOf(response)
  const retryAfter = 1000 * (Number(headers.get('Retry-After')) || problem?.retry_after || 0)
  const local = status === 429 ? 'E_RATE_LIMITED' : status >= 500 ? 'E_SERVER' : problem?.code
  return new SessionError(local ?? 'E_BAD_RESPONSE', { status, retryAfter, problem })
}

async function bodyOf<T>(response: Response): Promise<T> {
  if (!response.ok) throw await refusal(response)
  if (response.status === 204 || response.status === 202) return undefined as never
  return response.json().catch((cause: unknown) => {
    throw new SessionError('E_BAD_RESPONSE', { cause })
  })
}

/** A call that needs no session, such as a sign-in; it brings the cookies that there are. */
export const openCall: Call = async (path, init = {}) => bodyOf(await exchange(path, inJSON(init)))

/**
 * Requests in a session, renewed as needed and never one person's as another. The console's tokens are for our own
 * routes; those of members are for their services, so that `cookieOf` names the app whose cookie goes along instead.
 */
export function sendOf(session: Session, cookieOf?: string): Send {
  return (path, init = {}) =>
    session.carry<Response>({
      signal: init.signal,
      replayable: true,
      async send(token) {
        if (!token) throw new SessionError('session_missing', { status: 401 })
        return exchange(path, init, cookieOf ? { app: cookieOf } : { token })
      },
      problem: sessionProblem,
    })
}

/** Calls in a session, as `sendOf` makes its requests. */
export function callOf(session: Session, cookieOf?: string): Call {
  const send = sendOf(session, cookieOf)
  return async (path, init = {}) => bodyOf(await send(path, inJSON(init)))
}

export function useCall(): Call {
  const { members, app } = usePlace()
  return callOf(useSession().session, members ? app : undefined)
}

export function useSend(): Send {
  return sendOf(useSession().session)
}
