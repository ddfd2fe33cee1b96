import type { Session, State } from '@munjigi/client'
import { createRouter, createWebHistory, type RouteRecordRaw, type Router } from 'vue-router'
import { type Place, placeOf, signInPage } from './session/place'

declare module 'vue-router' {
  interface RouteMeta {
    /** Locale key of the page's title. */
    title?: string
    /** Needs no session. */
    open?: boolean
    /** Shows the product's name itself, so the header does not. */
    bare?: boolean
    /** Takes more than a column of text. */
    wide?: boolean
    /** Is named after what is on it, and says so itself. */
    named?: boolean
  }
}

const account = () => import('./screens/account/AccountScreen.vue')

const routes: RouteRecordRaw[] = [
  { path: '/', component: () => import('./screens/home/HomeScreen.vue'), meta: { title: 'home.page', wide: true } },
  { path: '/account', component: account, meta: { title: 'account.page' } },
  { path: '/people', component: () => import('./screens/people/PeopleScreen.vue'), meta: { title: 'people.page' } },
  {
    path: '/s/:service',
    component: () => import('./screens/service/ServiceFrame.vue'),
    meta: { wide: true, named: true },
    children: [
      { path: '', component: () => import('./screens/service/OverviewScreen.vue') },
      { path: '-/report/:key', component: () => import('./screens/service/report/ReportScreen.vue') },
      { path: '-/settings/:key', component: () => import('./screens/service/SettingsScreen.vue') },
      { path: '-/run/:key', component: () => import('./screens/service/RunScreen.vue') },
      { path: ':resource', component: () => import('./screens/service/list/ListScreen.vue') },
      { path: ':resource/:ids+', component: () => import('./screens/service/record/RecordScreen.vue') },
    ],
  },
  {
    path: '/sign-in',
    component: () => import('./screens/sign-in/SignInScreen.vue'),
    meta: { title: 'signIn.page', open: true, bare: true },
  },
  {
    path: '/sign-in/:realm',
    component: () => import('./screens/password/PasswordScreen.vue'),
    meta: { title: 'signIn.page', open: true, bare: true },
  },
  {
    path: '/sign-in/:realm/again',
    component: () => import('./screens/again/AgainScreen.vue'),
    meta: { title: 'signIn.page', open: true, bare: true },
  },
  {
    path: '/sign-in/:realm/forgotten',
    component: () => import('./screens/forgotten/ForgottenScreen.vue'),
    meta: { title: 'forgotten.page', open: true, bare: true },
  },
  {
    path: '/sign-in/:realm/sign-up',
    component: () => import('./screens/sign-up/SignUpScreen.vue'),
    meta: { title: 'signUp.page', open: true, bare: true },
  },
  {
    path: '/sign-in/:realm/password',
    component: () => import('./screens/new-password/NewPasswordScreen.vue'),
    meta: { title: 'newPassword.page', open: true, bare: true },
  },
  { path: '/account/:realm', component: account, meta: { title: 'account.page' } },
  {
    path: '/:rest(.*)*',
    component: () => import('./screens/not-found/NotFoundScreen.vue'),
    meta: { title: 'notFound.page', open: true },
  },
]

/** Whether an address is about the same session as this page; another one has to be loaded afresh. */
function isHere(place: Place, path: string): boolean {
  const to = placeOf(new URL(path, place.origin), { realm: place.members ? '' : place.realm, app: place.app }, null)
  return to.members === place.members && to.realm === place.realm
}

export function createConsoleRouter(session: Session, place: Place): Router {
  const router = createRouter({
    history: createWebHistory(),
    routes,
    scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
  })
  // The sign-in of a realm may be its provider's: the server knows, so it is asked for the page.
  function leaveFor(path: string): false | string {
    if (!place.members) return path
    location.replace(path)
    return false
  }
  const wayIn = (state: State, from: string) => leaveFor(signInPage(place, state.end?.reason, from))

  router.beforeEach(async (to, from) => {
    if (from.matched.length > 0 && !isHere(place, to.fullPath)) {
      location.assign(to.fullPath)
      return false
    }
    if (to.meta.open) return true
    const state = await session.ready()
    return state.status === 'anonymous' ? wayIn(state, to.fullPath) : true
  })
  session.subscribe((state) => {
    const at = router.currentRoute.value
    if (state.status !== 'anonymous' || at.meta.open || at.matched.length === 0) return
    const to = wayIn(state, at.fullPath)
    if (to) void router.replace(to)
  })
  return router
}
