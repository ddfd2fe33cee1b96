import { vueGuard } from '@munjigi/client/vue'
import { createRouter, createWebHistory } from 'vue-router'
import DevicesPage from './pages/DevicesPage.vue'
import ShopPage from './pages/ShopPage.vue'
import SignInPage from './pages/SignInPage.vue'
import { session } from './session'

const login = '/sign-in'

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/', component: ShopPage },
    { path: '/devices', component: DevicesPage },
    { path: login, component: SignInPage, meta: { public: true } },
    { path: '/:rest(.*)*', redirect: '/' },
  ],
})

// Before a page is entered: a session that has to be renewed is renewed, once, and whoever has none signs in first.
router.beforeEach(vueGuard(session, { login }))

// In the middle of a page: whoever's session ends learns why, and comes back afterwards.
session.on('signed-out', () => {
  const { matched, meta, fullPath } = router.currentRoute.value
  if (matched.length && !meta.public) router.push({ path: login, query: { return_to: fullPath } })
})
