import { safeReturnPath } from './return-path'

/** Which session this page is about: the console's, or that of a realm whose members sign in here. */
export interface Place {
  realm: string
  app: string
  /** Members see their own pages and nothing of the console. */
  members: boolean
  /** Munjigi's own, for the way back to one of its own pages. */
  origin: string
}

/** What the server writes into the page for the path that it serves: the realm, and an app to act for by default. */
export interface Served {
  realm: string
  app: string
}

const memberPath = /^\/(?:sign-in|account)\/([^/]+)/
const storageKey = (realm: string) => `munjigi-app-${realm}`

/**
 * The place of an address. Members may come from any app of their realm: the one that the address names, else the one
 * they came from last, else the one that the server proposes. All of them share the realm's session.
 */
export function placeOf(url: URL, served: Served, storage: Pick<Storage, 'getItem'> | null): Place {
  const realm = memberPath.exec(url.pathname)?.[1] ?? ''
  if (!realm) return { realm: served.realm || 'none', app: 'console', members: false, origin: url.origin }
  const app = url.searchParams.get('app') || remembered(realm, storage) || served.app || 'none'
  return { realm, app, members: true, origin: url.origin }
}

function remembered(realm: string, storage: Pick<Storage, 'getItem'> | null): string | null {
  try {
    return storage?.getItem(storageKey(realm)) ?? null
  } catch {
    return null
  }
}

/** Keeps the app for pages that are opened without naming one; storage may be forbidden. */
export function rememberApp(realm: string, app: string): void {
  try {
    localStorage.setItem(storageKey(realm), app)
  } catch {
    // Then the server's proposal counts.
  }
}

/** The sign-in page, with the reason of the end and the way back. Who signed out by themselves starts afresh. */
export function signInPage(place: Place, reason: string | undefined, from: string): string {
  const query = new URLSearchParams()
  if (reason) query.set('reason', reason)
  const back = reason !== 'session_signed_out' && safeReturnPath(from) !== '/'
  if (place.members) {
    query.set('app', place.app)
    query.set('return_to', place.origin + (back ? from : accountPath(place.realm)))
    return `/sign-in/${encodeURIComponent(place.realm)}?${query}`
  }
  if (back) query.set('return_to', from)
  return query.size ? `/sign-in?${query}` : '/sign-in'
}

export function accountPath(realm: string): string {
  return `/account/${encodeURIComponent(realm)}`
}
