import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import { useRoute } from 'vue-router'
import { signInTarget } from '../api/sign-in'
import { openCall } from './call'
import { usePlace } from './use-place'
import { one } from './use-reason'

/** Where one goes from here: what the address wishes, as the server has checked it. */
export function useTarget() {
  const place = usePlace()
  const route = useRoute()
  const wish = computed(() => ({ app: one(route.query.app), returnTo: one(route.query.return_to) }))
  const target = useQuery({
    queryKey: ['target', place.realm, wish],
    // The console's pages are all here, and a wish that there is not needs no answer yet.
    enabled: () => place.members && wish.value.returnTo !== '',
    queryFn: () => signInTarget(openCall, place.realm, wish.value),
    staleTime: Number.POSITIVE_INFINITY,
  })
  /** The host that one goes to, unless it is this one. */
  const host = computed(() => {
    const to = target.data.value?.return_to
    return to && new URL(to).origin !== place.origin ? new URL(to).host : ''
  })
  async function find() {
    const { data, error } = target.data.value ? { data: target.data.value, error: null } : await target.refetch()
    if (!data) throw error
    return data
  }
  return { target, host, find }
}
