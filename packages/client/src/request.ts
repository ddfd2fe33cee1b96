import type { Problem } from './error'
import type { Session, SessionInit } from './types'
import { bodyOf, ignore } from './world'

/** `fetch` with a token: to the listed addresses alone, and not over a caller's own Authorization. */
export function fetchOf(
  send: typeof fetch,
  covers: Session['covers'],
  carry: Session['carry'],
  ours: (header: string) => boolean,
) {
  return async (input: RequestInfo | URL, init: SessionInit = {}): Promise<Response> => {
    const { session, service, ...rest } = init
    if (session === false) return send(input, rest)
    const request = new Request(input, rest)
    const own = request.headers.get('Authorization')
    if (!covers(request.url) || (own && !ours(own))) return send(request)

    const replayable = !(rest.body instanceof ReadableStream)
    return carry({
      service,
      signal: request.signal,
      replayable,
      send(token) {
        const copy = replayable ? request.clone() : request
        copy.headers.delete('Authorization')
        if (token) copy.headers.set('Authorization', `Bearer ${token}`)
        return send(copy)
      },
      problem: async (response) => (response.status === 401 ? ((await bodyOf(response.clone())) as Problem) : null),
      drop: (response) => void response.body?.cancel().catch(ignore),
    })
  }
}
