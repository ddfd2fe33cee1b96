import { asProblem } from './error'
import type { Session, SessionInit } from './types'
import type { World } from './world'

/** `fetch` with a token: to the listed addresses alone, and not over a caller's own Authorization. */
export function fetchOf(world: World, session: () => Session, ours: (header: string) => boolean) {
  return async (input: RequestInfo | URL, init: SessionInit = {}): Promise<Response> => {
    const { session: mode, service, ...rest } = init
    const request = input instanceof Request ? input : null
    const headers = new Headers(rest.headers ?? request?.headers)
    const own = headers.get('Authorization')
    if (mode === false || !session().covers(request?.url ?? String(input)) || (own && !ours(own)))
      return world.fetch(input, rest)

    return session().carry({
      service,
      signal: rest.signal ?? request?.signal,
      replayable: !(rest.body instanceof ReadableStream),
      send(token) {
        if (token) headers.set('Authorization', `Bearer ${token}`)
        else headers.delete('Authorization')
        return world.fetch(request ? request.clone() : input, { ...rest, headers })
      },
      problem: async (response) =>
        response.status === 401
          ? asProblem(
              await response
                .clone()
                .json()
                .catch(() => null),
            )
          : null,
      drop: (response) => void response.body?.cancel().catch(() => {}),
    })
  }
}
