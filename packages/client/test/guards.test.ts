import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import { beforeEach, expect, test } from 'vitest'
import { createSSRApp, h } from 'vue'
import { renderToString as renderVue } from 'vue/server-renderer'
import { createMemoryHistory, createRouter } from 'vue-router'
import { requireSession, useSession as useReactSession } from '../src/react'
import { sessionPlugin, useSession, vueGuard } from '../src/vue'
import { browser, clock, page, Server, settle } from './server'

let server: Server
beforeEach(() => {
  clock()
  server = new Server()
  browser(server)
})

function router(session: ReturnType<typeof page>, options: object = {}) {
  const component = { render: () => null }
  const paths = ['/', '/sign-in', '/public', '/orders'].map((path) => ({ path, component }))
  const made = createRouter({ history: createMemoryHistory(), routes: paths })
  made.beforeEach(vueGuard(session, { login: '/sign-in', isPublic: (to) => to.path === '/public', ...options }))
  return made
}

test('Vue: who is signed in passes, with one renewal', async () => {
  const made = router(page(server))
  for (const path of ['/orders', '/', '/orders']) await settle(made.push(path))
  expect([made.currentRoute.value.path, server.renewals]).toEqual(['/orders', 1])
})

test('Vue: who is not goes to the sign-in page, with the way back and without a call', async () => {
  server.hint = false
  const made = router(page(server))
  await settle(made.push('/orders?a=1'))
  expect(made.currentRoute.value.fullPath).toBe('/sign-in?return_to=/orders?a=1')
  await settle(made.push('/public'))
  expect([made.currentRoute.value.path, server.calls.length]).toEqual(['/public', 0])
})

test('Vue: the sign-in page says why', async () => {
  const session = page(server)
  server.script = () => server.problem(401, 'session_revoked')
  const made = router(session)
  await settle(made.push('/orders'))
  expect(made.currentRoute.value.query).toEqual({ reason: 'session_revoked', return_to: '/orders' })
})

test('Vue: out of reach passes, unless told otherwise', async () => {
  server.script = () => new Response(null, { status: 500 })
  const free = router(page(server))
  await settle(free.push('/orders'))
  expect(free.currentRoute.value.path).toBe('/orders')
  const strict = router(page(server), { unreachable: 'sign-in' })
  await settle(strict.push('/orders'))
  expect(strict.currentRoute.value.path).toBe('/sign-in')
})

test('Vue: verify asks at every entry', async () => {
  const session = page(server)
  await settle(session.ready())
  const made = router(session, { verify: 'enter' })
  for (const path of ['/orders', '/']) await settle(made.push(path))
  expect(server.calls.filter((it) => it.method === 'GET')).toHaveLength(2)
})

test('Vue: useSession', async () => {
  const session = page(server)
  await settle(session.ready())
  const app = createSSRApp({
    setup() {
      const { state } = useSession()
      return () => h('p', state.value.account?.id)
    },
  })
  expect(await settle(renderVue(app.use(sessionPlugin(session))))).toBe('<p>kim</p>')
})

test('React: useSession', async () => {
  const session = page(server)
  await settle(session.ready())
  const Name = () => createElement('p', null, useReactSession(session).account?.id)
  expect(renderToString(createElement(Name))).toBe('<p>kim</p>')
})

test('React: requireSession lets in, or leads to the sign-in page', async () => {
  const load = (session: ReturnType<typeof page>, path: string) =>
    settle(requireSession(session, { login: '/sign-in' })({ request: new Request(`https://app.test${path}`) }))
  expect(await load(page(server), '/orders')).toMatchObject({ status: 'active' })
  server.hint = false
  const refused: Response = await load(page(server), '/orders?a=1').catch((it) => it)
  expect([refused.status, refused.headers.get('Location')]).toEqual([302, '/sign-in?return_to=%2Forders%3Fa%3D1'])
  const evil: Response = await load(page(server), '//evil.test/').catch((it) => it)
  expect(evil.headers.get('Location')).toBe('/sign-in?return_to=%2F')
})
