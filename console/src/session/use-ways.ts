import { useRoute } from 'vue-router'
import { usePlace } from './use-place'

/** From one page of a realm's sign-in to another, with the way back kept. */
export function useWays() {
  const { realm } = usePlace()
  const route = useRoute()
  function linkTo(page: '' | 'forgotten' | 'sign-up') {
    const { app, return_to } = route.query
    const path = `/sign-in/${encodeURIComponent(realm)}${page && `/${page}`}`
    return { path, query: { ...(app ? { app } : {}), ...(return_to ? { return_to } : {}) } }
  }
  return { linkTo }
}
