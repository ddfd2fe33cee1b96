/** What the server says of an error (RFC 9457), as far as we use it. */
export interface Problem {
  status: number
  code: string
  title?: string
  detail?: string
  request?: string
  retry_after?: number
  replaced_at?: number
  replaced_by?: string
}

/** Codes that never cross the wire: what went wrong on the way. */
export type LocalCode = 'E_NETWORK' | 'E_OFFLINE' | 'E_TIMEOUT' | 'E_BAD_RESPONSE' | 'E_SESSION_CHANGED'

/** A call that did not succeed. `code` is one of the protocol's or a local one. */
export class CallError extends Error {
  readonly code: string
  /** 0 when there was no answer. */
  readonly status: number
  readonly problem: Problem | null

  constructor(code: string, status = 0, problem: Problem | null = null, cause?: unknown) {
    super(problem?.detail ?? code, { cause })
    this.name = 'CallError'
    this.code = code
    this.status = status
    this.problem = problem
  }

  /** It may go away by itself: nobody is signed out for it, and trying again makes sense. */
  get transient(): boolean {
    return (this.status === 0 && this.code !== 'E_SESSION_CHANGED') || this.status === 429 || this.status >= 500
  }

  /** The session is over. Only the server can say so, and only with one of its own codes. */
  get final(): boolean {
    return this.status === 401 && this.code.startsWith('session_')
  }

  /** A renewed access token may be accepted. */
  get renewable(): boolean {
    return this.status === 401 && this.code.startsWith('token_')
  }

  /** How long the server asks us to wait, in milliseconds. */
  get retryAfter(): number {
    return (this.problem?.retry_after ?? 0) * 1000
  }
}

/** Why there was no answer at all. */
export function noAnswer(cause: unknown, online: boolean): CallError {
  if (!online) return new CallError('E_OFFLINE', 0, null, cause)
  const late = cause instanceof DOMException && cause.name === 'TimeoutError'
  return new CallError(late ? 'E_TIMEOUT' : 'E_NETWORK', 0, null, cause)
}

/** The error that an answer outside 2xx stands for. One that is not ours (a proxy's page) gets a code by its status. */
export async function problemOf(response: Response): Promise<CallError> {
  const body: unknown = await response.json().catch(() => null)
  if (isProblem(body)) return new CallError(body.code, response.status, body)
  return new CallError(response.status >= 500 ? 'internal' : 'E_BAD_RESPONSE', response.status)
}

function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && 'code' in body && typeof body.code === 'string'
}
