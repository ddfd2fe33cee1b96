import type { Account, Live } from '@munjigi/client'
import { useQuery } from '@tanstack/vue-query'
import { useCall } from './call'

/** The answer of `GET /session`: who am I, checked against the store. */
interface Who {
  account: Account
  session: Live
  /** When the provider last confirmed the person, in seconds since 1970. */
  checked_at?: number
}

/** Who is signed in, as the server has it now, kept current while it is looked at. */
export function useWho() {
  const call = useCall()
  return useQuery({
    queryKey: ['who'],
    queryFn: ({ signal }) => call<Who>('/session', { signal }),
    refetchInterval: 10_000,
  })
}
