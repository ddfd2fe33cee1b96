import { createRouter, createWebHistory, type RouteLocationRaw, type RouteRecordRaw, type Router } from 'vue-router'
import type { Session } from './session/session'
import type { State } from './session/types'

declare module 'vue-router' {
  interface RouteMeta {
    /** Locale key of the page's title. */
    title?: string
    /** Needs no session. */
    open?: boolean
    /** Shows the product's name itself, so the header does not. */
    bare?: boolean
  }
}

export const routes: RouteRecordRaw[] = [
  { path: '/', component: () => import('./screens/home/HomeScreen.vue'), meta: { title: 'home.page' } },
  { path: '/account', component: () => import('./screens/account/AccountScreen.vue'), meta: { title: 'account.page' } },
  { path: '/people', component: () => import('./screens/people/PeopleScreen.vue'), meta: { title: 'people.page' } },
  {
    path: '/sign-in',
    component: () => import('./screens/sign-in/SignInScreen.vue'),
    meta: { title: 'signIn.page', open: true, bare: true },
  },
  {
    path: '/:rest(.*)*',
    component: () => import('./screens/not-found/NotFoundScreen.vue'),
    meta: { title: 'notFound.page', open: true },
  },
]

/** The sign-in page, with the reason of the end and the way back. Who signed out by themselves starts afresh. */
export function signInPage(state: State, from: string): RouteLocationRaw {
  const code = state.end?.code
  const back = code === 'session_signed_out' || from === '/' ? {} : { return_to: from }
  return { path: '/sign-in', query: { ...(code ? { reason: code } : {}), ...back } }
}

export function createConsoleRouter(session: Session): Router {
  const router = createRouter({
    history: createWebHistory(),
    routes,
    scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
  })
  router.beforeEach(async (to) => {
    if (to.meta.open) return true
    const state = await session.ready()
    return state.status === 'anonymous' ? signInPage(state, to.fullPath) : true
  })
  session.subscribe((state) => {
    const at = router.currentRoute.value
    if (state.status !== 'anonymous' || at.meta.open || at.matched.length === 0) return
    void router.replace(signInPage(state, at.fullPath))
  })
  return router
}
