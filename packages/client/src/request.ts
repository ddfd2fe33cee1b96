import type { Session, SessionInit } from './types'
import { asProblem, bodyOf, ignore } from './world'

/** `fetch` with a token: to the listed addresses alone, and not over a caller's own Authorization. */
export function fetchOf(
  send: typeof fetch,
  { covers, carry }: Pick<Session, 'covers' | 'carry'>,
  ours: (header: string) => boolean,
) {
  return async (input: RequestInfo | URL, init: SessionInit = {}): Promise<Response> => {
    const { session, service, ...rest } = init
    const request = input instanceof Request ? input : undefined
    const headers = new Headers(rest.headers ?? request?.headers)
    const own = headers.get('Authorization')
    if (session === false || !covers(request?.url ?? `${input}`) || (own && !ours(own))) return send(input, rest)

    return carry({
      service,
      signal: rest.signal ?? request?.signal,
      replayable: !(rest.body instanceof ReadableStream),
      send(token) {
        headers.delete('Authorization')
        if (token) headers.set('Authorization', `Bearer ${token}`)
        return send(request?.clone() ?? input, { ...rest, headers })
      },
      problem: async (response) => (response.status === 401 ? asProblem(await bodyOf(response.clone())) : null),
      drop: (response) => void response.body?.cancel().catch(ignore),
    })
  }
}
