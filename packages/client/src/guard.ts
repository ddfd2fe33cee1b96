import type { Session } from './types'

export interface GuardOptions {
  /** The path of the sign-in page. */
  login: string
  /** `enter` asks the server at every entry, not only when the token has to be renewed. */
  verify?: 'enter'
  /** Where to go when the server cannot be asked; unless given, on: offline first. */
  unreachable?: 'sign-in'
}

/** The sign-in page, with the reason and a way back that never leaves this origin; undefined for who may pass. */
export async function detour(session: Session, from: string, options: GuardOptions): Promise<string | undefined> {
  const { status, end } = await session.ready(options)
  if (status !== 'anonymous' && (status !== 'unreachable' || !options.unreachable)) return undefined
  const back = encodeURIComponent(/^\/[^/\\]/.test(from) ? from : '/')
  return `${options.login}?return_to=${back}${end ? `&reason=${end.reason}` : ''}`
}
