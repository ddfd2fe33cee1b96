/** A session of an account that has as many as it may, as `session_limit` lists them. */
export interface Held {
  id: string
  device: string
  started_at: number
}

/** What a server says of an error (RFC 9457), as far as the client uses it. */
export interface Problem {
  code: string
  service?: string
  max_check_age?: number
  replaced_at?: number
  replaced_by?: string
  sessions?: Held[]
  ticket?: string
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
  declare readonly code: LocalCode | (string & {})
  /** It may go away by itself; nobody was signed out for it. */
  declare readonly transient: boolean
  /** 0 when there was no answer. */
  declare readonly status: number
  /** How long the server asks to wait, in milliseconds; 0 = it does not say. */
  declare readonly retryAfter: number
  declare readonly problem: Problem | null
  /** Of `session_limit`: the sessions of which one has to end. */
  declare readonly sessions: Held[] | undefined
  /** Of `session_limit`: what `signIn({ ticket, end })` takes, for a minute and once. */
  declare readonly ticket: string | undefined

  constructor(code: LocalCode | (string & {}), facts: Facts = {}) {
    super(code)
    Object.assign(this, {
      name: 'SessionError',
      code,
      transient: /^E_([BORT]|SER|NE)/.test(code),
      status: 0,
      retryAfter: 0,
      problem: null,
      sessions: facts.problem?.sessions,
      ticket: facts.problem?.ticket,
      ...facts,
    })
  }
}
