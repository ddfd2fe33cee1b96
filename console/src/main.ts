import { createSession } from '@munjigi/client'
import { sessionPlugin } from '@munjigi/client/vue'
import { QueryClient, VueQueryPlugin } from '@tanstack/vue-query'
import { createApp } from 'vue'
import App from './App.vue'
import { browserLanguage, createTexts, loadMessages } from './locales'
import { createConsoleRouter } from './router'
import { isPassing } from './session/call'
import { watchSession } from './session/look'
import { placeOf } from './session/place'
import { placeKey } from './session/use-place'
import './styles'

const { realm = '', app: proposed = '' } = document.documentElement.dataset
const place = placeOf(new URL(location.href), { realm, app: proposed }, localStorageOrNull())
const session = createSession({ url: '/', app: place.app, realm: place.realm })
const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5000,
      retry: (failures, error) => failures < 2 && isPassing(error),
    },
  },
})

// What one person fetched is never shown to the next.
let shownTo: string | undefined
session.subscribe((state) => {
  if (state.session?.id === shownTo) return
  shownTo = state.session?.id
  queries.clear()
})

function localStorageOrNull(): Storage | null {
  try {
    return localStorage
  } catch {
    return null
  }
}

const language = browserLanguage()
const messages = await loadMessages(language)

const app = createApp(App)
app.use(sessionPlugin(session))
app.provide(placeKey, place)
app.use(createTexts(language, messages))
app.use(VueQueryPlugin, { queryClient: queries })
app.use(createConsoleRouter(session, place))
app.mount('#app')
watchSession(session)
