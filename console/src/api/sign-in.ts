import type { Call } from '../session/call'

export interface Realm {
  name: string
  /** `oidc` signs in at a provider; `password` and `credentials` here, with a login and a password. */
  kind: string
  /** The host that people sign in at, such as accounts.google.com. */
  provider?: string
  /** Whether strangers may make an account. */
  sign_up?: boolean
  /** Whether a link for a new password is sent by mail. */
  forgotten?: boolean
  /** How long a password is at least, in characters. */
  min_length?: number
}

export interface SignInOptions {
  realms: Realm[]
  /** The realm that the console belongs to. */
  console: string
}

/** A session that stands in the way of one more. Times are whole seconds since 1970. */
export interface HeldSession {
  id: string
  device: string
  started_at: number
}

/** What proves who signs in: a password, or the ticket of a refused sign-in with the session to end for it. */
export type Proof = { login: string; password: string } | { ticket: string; end: string }

/** `GET /sign-in/options`; needs no session. */
export function signInOptions(call: Call, signal?: AbortSignal): Promise<SignInOptions> {
  return call('/sign-in/options', signal ? { signal } : {})
}

/** Where a browser goes to sign in to a realm; it comes back to `returnTo`, a path of ours. */
export function signInAddress(realm: string, returnTo: string): string {
  return `${pathOf(realm)}?${new URLSearchParams({ app: 'console', return_to: returnTo })}`
}

export interface Target {
  app: string
  /** Absolute, and checked by the server. */
  return_to: string
}

/** `GET /sign-in/{realm}/target`: where one goes after signing in. */
export function signInTarget(call: Call, realm: string, wish: { app: string; returnTo: string }): Promise<Target> {
  const query = new URLSearchParams({ app: wish.app, return_to: wish.returnTo })
  return call(`${pathOf(realm)}/target?${query}`)
}

/** `POST /sign-in/{realm}`: begins a session. */
export function signIn(call: Call, realm: string, app: string, proof: Proof): Promise<unknown> {
  return call(pathOf(realm), { method: 'POST', body: { app, ...proof } })
}

/** What there is to choose from after a provider's sign-in that found no room, and where one wanted to go. */
export interface Offered {
  app: string
  return_to: string
  sessions: HeldSession[]
}

/** `GET /sign-in/{realm}/choice`: the ticket is in a cookie. */
export function signInChoice(call: Call, realm: string): Promise<Offered> {
  return call(`${pathOf(realm)}/choice`)
}

/** `POST /sign-in/{realm}` with the ticket of the cookie: ends a session for a new one. */
export function endForNew(call: Call, realm: string, app: string, end: string): Promise<unknown> {
  return call(pathOf(realm), { method: 'POST', body: { app, end } })
}

/** `POST /sign-in/{realm}/forgotten`: the answer is the same whoever is named. */
export function forgotPassword(call: Call, realm: string, app: string, login: string): Promise<void> {
  return call(`${pathOf(realm)}/forgotten`, { method: 'POST', body: { app, login } })
}

/** `POST /sign-in/{realm}/sign-up`: the answer is the same whether or not there is such an account already. */
export function signUp(call: Call, realm: string, app: string, who: { name: string; email: string }): Promise<void> {
  return call(`${pathOf(realm)}/sign-up`, { method: 'POST', body: { app, ...who } })
}

/** `PUT /sign-in/{realm}/password`: sets a password with the link of a mail. */
export function setPassword(call: Call, realm: string, link: string, password: string): Promise<void> {
  return call(`${pathOf(realm)}/password`, { method: 'PUT', body: { link, password } })
}

/** `PUT /account/password`: ends the account's other sessions. */
export function changePassword(call: Call, old: string, next: string): Promise<void> {
  return call('/account/password', { method: 'PUT', body: { old, new: next } })
}

function pathOf(realm: string): string {
  return `/sign-in/${encodeURIComponent(realm)}`
}
