import { detour, type GuardOptions } from './guard'
import type { Session, State } from './types'

/** For the loader of a React Router route: whoever is not signed in goes to the sign-in page first. */
export function requireSession(session: Session, options: GuardOptions) {
  return async ({ request }: { request: Request }): Promise<State> => {
    const { origin } = new URL(request.url)
    const to = await detour(session, request.url.slice(origin.length), options)
    if (to) throw new Response(null, { status: 302, headers: { Location: to } })
    return session.state
  }
}
