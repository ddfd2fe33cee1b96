import type { NavigationGuardWithThis, RouteLocationNormalized } from 'vue-router'
import { detour, type GuardOptions } from './guard'
import type { Session } from './types'

/** For `router.beforeEach`: whoever is not signed in goes to the sign-in page first. */
export function vueGuard(
  session: Session,
  options: GuardOptions & { isPublic?: (to: RouteLocationNormalized) => boolean },
): NavigationGuardWithThis<undefined> {
  return (to) => to.path === options.login || options.isPublic?.(to) || detour(session, to.fullPath, options)
}
