/** What a server says of an error (RFC 9457), as far as the client uses it. */
export interface Problem {
  code: string
  service?: string
  max_check_age?: number
  retry_after?: number
  replaced_at?: number
  replaced_by?: string
}

/** Codes that never cross the wire: what went wrong on this side of it. */
export type LocalCode =
  | 'E_NETWORK'
  | 'E_OFFLINE'
  | 'E_TIMEOUT'
  | 'E_RATE_LIMITED'
  | 'E_SERVER'
  | 'E_BAD_RESPONSE'
  | 'E_SESSION_CHANGED'
  | 'E_NOT_REPLAYABLE'
  | 'E_DISPOSED'
  | 'E_CONFIG'

/** What is known of an error beside its code. */
export interface Facts {
  status?: number
  /** Milliseconds. */
  retryAfter?: number
  problem?: Problem | null
  cause?: unknown
}

/** Why a call could not be made with a session: `code` is one of the protocol's or a local one. */
export class SessionError extends Error {
  readonly code: string
  /** 0 when there was no answer. */
  readonly status: number
  /** How long the server asks to wait, in milliseconds; 0 = it does not say. */
  readonly retryAfter: number
  readonly problem: Problem | null

  constructor(code: LocalCode | (string & {}), { status = 0, retryAfter = 0, problem = null, cause }: Facts = {}) {
    super(code, { cause })
    this.name = 'SessionError'
    this.code = code
    this.status = status
    this.retryAfter = retryAfter
    this.problem = problem
  }

  /** It may go away by itself; nobody was signed out for it. */
  get transient(): boolean {
    return /^E_(N.*K|O|T|R|SER|B)/.test(this.code)
  }
}

/** The problem that a body is, if it is one of ours. */
export function asProblem(body: unknown): Problem | null {
  const it = body as Problem | null
  return typeof it?.code === 'string' ? it : null
}
