import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import { signInOptions } from '../api/sign-in'
import { openCall } from './call'
import { usePlace } from './use-place'

/** The ways to sign in, and what this page's realm allows. */
export function useOptions() {
  const place = usePlace()
  const options = useQuery({
    queryKey: ['sign-in options'],
    queryFn: ({ signal }) => signInOptions(openCall, signal),
    staleTime: 60_000,
  })
  const realm = computed(() => options.data.value?.realms.find(({ name }) => name === place.realm))
  return { options, realm }
}
