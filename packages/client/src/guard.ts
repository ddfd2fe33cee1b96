import type { Session, State } from './types'

/** The sign-in page with the reason and the way back, which never leaves this origin. */
export function signInPath(login: string, { end }: State, from: string): string {
  const query = new URLSearchParams()
  if (end) query.set('reason', end.reason)
  if (/^\/(?![/\\])/.test(from)) query.set('return_to', from)
  return `${login}?${query}`
}

export interface GuardOptions {
  /** The path of the sign-in page. */
  login: string
  /** `enter` asks the server at every entry, not only when the token has to be renewed. */
  verify?: 'enter'
  /** Where to go when the server cannot be asked; unless given, on: offline first. */
  unreachable?: 'sign-in'
}

/** Where to go instead of `from`, or null. */
export async function detour(session: Session, from: string, options: GuardOptions): Promise<string | null> {
  const state = await session.ready({ verify: options.verify === 'enter' })
  const lost = state.status === 'unreachable' && options.unreachable === 'sign-in'
  return state.status === 'anonymous' || lost ? signInPath(options.login, state, from) : null
}
