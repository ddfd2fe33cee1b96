import type { Call } from '../session/session'

export interface Realm {
  name: string
  kind: string
  /** The host that people sign in at, such as accounts.google.com. */
  provider?: string
}

export interface SignInOptions {
  realms: Realm[]
  /** The realm that the console belongs to. */
  console: string
}

/** `GET /sign-in/options`; needs no session. */
export function signInOptions(openCall: Call): Promise<SignInOptions> {
  return openCall('/sign-in/options')
}

/** Where a browser goes to sign in at the provider; it comes back to `returnTo`, a path of ours. */
export function signInAddress(realm: string, returnTo: string): string {
  const query = new URLSearchParams({ app: 'console', return_to: returnTo })
  return `/sign-in/${encodeURIComponent(realm)}?${query}`
}
