import type { CallError } from './errors'

/** Who is signed in. */
export interface Account {
  id: string
  realm: string
  email?: string
  name?: string
  roles: string[]
}

/** The session that this browser holds. All times are whole seconds since 1970. */
export interface Live {
  id: string
  generation: number
  started_at: number
  ends_at: number
}

/** The answer of `POST /session`. */
export interface Renewed {
  access_token: string
  issued_at: number
  expires_at: number
  account: Account
  session: Live
}

/** The answer of `GET /session`. */
export interface Who {
  account: Account
  session: Live
  checked_at?: number
}

/** Why the last session ended: the code, and for `session_replaced` when and by what kind of device. */
export interface End {
  code: string
  replacedAt?: number | undefined
  replacedBy?: string | undefined
}

/**
 * `unknown`: not asked yet. `active`: signed in. `unreachable`: the server could not be asked; nobody is signed out for
 * that, and what was known stays known. `anonymous`: not signed in, with `end` when a session ended under our eyes.
 */
export interface State {
  status: 'unknown' | 'active' | 'unreachable' | 'anonymous'
  account: Account | null
  live: Live | null
  checkedAt: number | null
  end: End | null
  trouble: CallError | null
}
