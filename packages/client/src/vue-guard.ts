import type { NavigationGuardWithThis, RouteLocationNormalized } from 'vue-router'
import { detour, type GuardOptions } from './guard'
import type { Session } from './types'

/** For `router.beforeEach`: whoever is not signed in goes to the sign-in page first. */
export function vueGuard(
  session: Session,
  options: GuardOptions & { isPublic?: (to: RouteLocationNormalized) => boolean },
): NavigationGuardWithThis<undefined> {
  return async (to) => {
    if (to.path === options.login || options.isPublic?.(to)) return true
    return (await detour(session, to.fullPath, options)) ?? true
  }
}
