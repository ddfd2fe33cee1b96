import { QueryClient, VueQueryPlugin } from '@tanstack/vue-query'
import { createApp } from 'vue'
import App from './App.vue'
import { browserLanguage, createTexts } from './locales'
import { createConsoleRouter } from './router'
import { CallError } from './session/errors'
import { rememberedRealm, rememberRealm } from './session/realm'
import { createSession } from './session/session'
import { provideSession } from './session/use-session'
import { watchSession } from './session/watch'
import './styles'

const session = createSession({ realm: rememberedRealm })
const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5000,
      retry: (failures, error) => failures < 2 && error instanceof CallError && error.transient,
    },
  },
})

// What one person fetched is never shown to the next.
let shownTo = session.state().live?.id
session.subscribe(({ live, account }) => {
  if (account) rememberRealm(account.realm)
  if (live?.id === shownTo) return
  shownTo = live?.id
  queries.clear()
})

const app = createApp(App)
provideSession(app, session)
app.use(createTexts(browserLanguage()))
app.use(VueQueryPlugin, { queryClient: queries })
app.use(createConsoleRouter(session))
app.mount('#app')
watchSession(session)
