import { sessionPlugin } from '@munjigi/client/vue'
import { createApp } from 'vue'
import App from './App.vue'
import { router } from './router'
import { session } from './session'
import './styles/index.css'

createApp(App).use(sessionPlugin(session)).use(router).mount('#app')
