import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

// Where `npm run dev` finds the server: `munjigi demo` listens there.
const server = 'http://localhost:8080'

const client = fileURLToPath(new URL('../packages/client/src/', import.meta.url))

// What the server writes into the page when it serves it.
function served(): Plugin {
  return {
    name: 'served',
    apply: 'serve',
    transformIndexHtml: (html, { originalUrl = '/' }) => {
      const realm = /^\/(?:sign-in|account)\/([^/?]+)/.exec(originalUrl)?.[1]
      const [name, app] = realm ? [realm, 'shop'] : ['staff', 'console']
      return html.replace('data-realm="" data-app=""', `data-realm="${name}" data-app="${app}"`)
    },
  }
}

export default defineConfig({
  plugins: [vue(), served()],
  // From its sources: the console is built without the client's package being built before.
  resolve: { alias: { '@munjigi/client/vue': `${client}vue.ts`, '@munjigi/client': `${client}index.ts` } },
  define: {
    __VUE_OPTIONS_API__: 'false',
    __VUE_PROD_DEVTOOLS__: 'false',
    __VUE_I18N_FULL_INSTALL__: 'false',
    __VUE_I18N_LEGACY_API__: 'false',
    __INTLIFY_PROD_DEVTOOLS__: 'false',
  },
  build: {
    target: 'es2022',
    // The policy of our pages admits no inline script, and files only from /assets/.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      '^/(session|sessions|admin|healthz)(/|\\?|$)': server,
      // Pages are ours, except those that lead to the staff's provider.
      '^/sign-in/': {
        target: server,
        bypass: ({ method, url = '', headers }) =>
          method === 'GET' && headers.accept?.includes('text/html') && !url.startsWith('/sign-in/staff') ? url : null,
      },
      '^/account/password': server,
    },
  },
  test: { include: ['test/**/*.test.ts'], environment: 'node' },
})
