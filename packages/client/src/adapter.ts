import type { AxiosAdapter, AxiosError, AxiosInstance, AxiosResponse, getAdapter } from 'axios'
import type { Problem } from './error'
import type { Session } from './types'

/** What the adapter settled with: a response that axios takes for good, or the error that it made of one. */
interface Outcome {
  good?: AxiosResponse
  bad?: AxiosError
}

/** Wraps the instance's adapter: interceptors and transformations run once, and what is sent again is what was sent. */
export function wrapAdapter(instance: AxiosInstance, session: Session, resolve: typeof getAdapter): void {
  const before = instance.defaults.adapter
  const adapter: AxiosAdapter = async (config) => {
    const inner = (resolve as (adapter: typeof before, config: unknown) => AxiosAdapter)(before, config)
    if (!session.covers(instance.getUri(config)) || config.headers.has('Authorization')) return inner(config)
    const signal = config.signal as AbortSignal | undefined
    const outcome: Outcome = await session
      .carry<Outcome>({
        signal,
        replayable: !(config.data instanceof ReadableStream),
        send(token) {
          config.headers.set('Authorization', token ? `Bearer ${token}` : null)
          return inner(config).then(
            (good) => ({ good }),
            (bad) => ({ bad }),
          )
        },
        problem,
      })
      // The adapter makes axios' own error of an abort.
      .catch((error) => (signal?.aborted ? inner(config).then((good) => ({ good })) : Promise.reject(error)))
    if (outcome.bad) throw outcome.bad
    return outcome.good as AxiosResponse
  }
  instance.defaults.adapter = adapter
}

async function problem({ good, bad }: Outcome): Promise<Problem | null> {
  const response = good ?? bad?.response
  if (response?.status !== 401) return null
  let { data } = response
  // Of a stream one half is read here, and the other one is the caller's.
  if (data instanceof ReadableStream) [data, response.data] = data.tee()
  try {
    return await new Response(data).json()
  } catch {
    return null
  }
}
