// A front end for tests. `ahead` sets the page's clock, which is how a token runs out at once; `without` takes away what
// some browsers do not have.
const params = new URLSearchParams(location.search)
const clock = Date.now
window.ahead = Number(params.get('ahead') ?? 0)
Date.now = () => clock() + window.ahead

const without = (params.get('without') ?? '').split(',')
if (without.includes('locks')) Object.defineProperty(navigator, 'locks', { value: undefined })
if (without.includes('channel')) delete window.BroadcastChannel
if (without.includes('storage'))
  Object.defineProperty(window, 'localStorage', {
    get() {
      throw new DOMException('forbidden', 'SecurityError')
    },
  })

const breaches = []
addEventListener('securitypolicyviolation', (event) => breaches.push(event.violatedDirective))
const shown = []
addEventListener('pageshow', (event) => shown.push(event.persisted))

const meta = (name) => document.querySelector(`meta[name=${name}]`).content
const session = Munjigi.createSession({
  url: meta('auth'),
  app: meta('app'),
  realm: 'staff',
  ...(params.has('keep') && { keepAlive: 'visible' }),
})
const events = []
for (const event of ['signed-in', 'signed-out', 'changed', 'unreachable', 'recovered'])
  session.on(event, (detail) => events.push({ event, detail }))
window.heard = (event) => events.filter((it) => it.event === event)

const http = axios.create()
Munjigi.attachAxios(http, session)
const ways = {
  fetch: (path) => session.fetch(path),
  axios: (path) => http.get(path, { validateStatus: null }),
}

/** How n calls at once end: how many with each status or error. */
window.calls = async (n, ...names) => {
  const counts = {}
  const used = names.length ? names : ['fetch']
  const one = (i) =>
    ways[used[i % used.length]](`/api/${i}`).then(
      ({ status }) => status,
      (error) => error.code ?? error.name,
    )
  for (const it of await Promise.all(Array.from({ length: n }, (_, i) => one(i)))) counts[it] = (counts[it] ?? 0) + 1
  return counts
}

// The story: a guard before each page, and four components that call when they are there.
const { createApp, h, resolveComponent } = Vue
const part = (name) => ({ mounted: () => session.fetch(`/api/${name}`), render: () => h('p', name) })
const parts = ['group', 'product', 'creative', 'point'].map(part)
const orders = { render: () => parts.map((it) => h(it)) }
const signIn = { render: () => h('h1', 'Sign in') }
const router = VueRouter.createRouter({
  history: VueRouter.createWebHistory(),
  routes: [
    { path: '/orders', component: orders },
    { path: '/sign-in', component: signIn },
    { path: '/:rest(.*)*', component: { render: () => null }, meta: { open: true } },
  ],
})
router.beforeEach(Munjigi.vueGuard(session, { login: '/sign-in', isPublic: (to) => to.meta.open === true }))
createApp({ render: () => h(resolveComponent('RouterView')) })
  .use(router)
  .mount('#app')
