import type { Problem, SessionError } from './error'

/** Who is signed in. */
export interface Account {
  id: string
  realm: string
  email?: string
  name?: string
  roles: string[]
}

/** The session that this browser holds. Times are whole seconds since 1970. */
export interface Live {
  id: string
  generation: number
  started_at: number
  ends_at: number
}

/** The answer to a renewal and to a sign-in. */
export interface Answer {
  access_token: string
  issued_at: number
  expires_at: number
  account: Account
  session: Live
}

/** Why a session ended; a displaced one says by what kind of device and when. */
export interface End {
  reason: string
  replacedBy: string | undefined
  replacedAt: number | undefined
}

export type Status = 'unknown' | 'active' | 'renewing' | 'unreachable' | 'anonymous' | 'disposed'

/** A snapshot; a change makes a new one. */
export interface State {
  readonly status: Status
  readonly account: Account | null
  readonly session: Live | null
  /** Why the last session ended, when one ended while this page was open. */
  readonly end: End | null
  /** Why the server could not be asked. */
  readonly error: SessionError | null
}

/** What `on` tells. */
export interface Events {
  'signed-in': State
  'signed-out': End
  /** Another session took this one's place: somebody signed in anew in another tab. */
  changed: State
  unreachable: SessionError
  recovered: State
  /** A 401 went back to the caller because its body, a stream, cannot be sent twice. */
  'not-replayable': SessionError
}

/** `session: false` leaves a request alone; `service` wants a token for that one service. */
export interface SessionInit extends RequestInit {
  session?: false
  service?: string
}

/** A request in a form of its transport's own, such as axios'. */
export interface Job<T> {
  service?: string | undefined
  signal?: AbortSignal | null | undefined
  /** Whether it can be sent a second time. */
  replayable: boolean
  /** Sends it with this token, or without one when nobody is signed in. */
  send(token: string | undefined): Promise<T>
  /** The problem of a 401, null for every other answer. */
  problem(result: T): Promise<Problem | null>
}

export interface RenewOptions {
  /** Does not wait for the end of a pause after a failure, and does not take another tab's token. */
  force?: boolean
  service?: string
  /** Seconds since the provider last confirmed the person. */
  maxCheckAge?: number
  signal?: AbortSignal
}

export type SignIn =
  | { login: string; password: string }
  | { legacyToken: string }
  /** After `session_limit`: ends the session `end` of the account, and signs in. */
  | { ticket: string; end: string }
  /** Leaves the page for the sign-in page; `returnTo` is a path, or a URL of one of the app's origins. */
  | { returnTo: string }

export interface Session {
  readonly state: State
  fetch(input: RequestInfo | URL, init?: SessionInit): Promise<Response>
  /** Sends a job with a token, renewed as needed: what `fetch` and the axios adapter are made of. */
  carry<T>(job: Job<T>): Promise<T>
  /** Whether `url` is one that tokens are sent to. */
  covers(url: string): boolean
  /** Whether somebody is signed in: at most one renewal, none when it is known. `verify` asks the server even when its token is good. */
  ready(options?: { verify?: boolean | 'enter'; signal?: AbortSignal }): Promise<State>
  renew(options?: RenewOptions): Promise<State>
  /** A token with at least `minValidity` seconds left; null when nobody is signed in. */
  getToken(options?: { minValidity?: number; service?: string; signal?: AbortSignal }): Promise<string | null>
  signIn(how: SignIn): Promise<State>
  signOut(options?: { everywhere?: boolean }): Promise<void>
  subscribe(listener: (state: State) => void): () => void
  on<E extends keyof Events>(event: E, listener: (detail: Events[E]) => void): () => void
  dispose(): void
}

/** `url`, `app` and `realm` are needed. */
export interface Config {
  /** Munjigi's address. */
  url: string
  app: string
  realm: string
  /** Whom tokens are sent to; unless given, the page's own origin and Munjigi's. */
  origins?: string[]
  /** The sign-in page, unless it is Munjigi's. */
  login?: string
  /** Renews ahead of time while the page is visible, not only when something is called. */
  keepAlive?: 'visible'
  /** Whether the page can read the hint cookie; unless given, when the page's host is Munjigi's. */
  hint?: boolean
  /** What requests are sent with, unless it is the browser's own. */
  fetch?: typeof fetch
}
