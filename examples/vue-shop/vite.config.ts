import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [vue()],
  define: { __VUE_OPTIONS_API__: 'false', __VUE_PROD_DEVTOOLS__: 'false' },
  build: {
    target: 'es2022',
    // The demo serves what is built from inside its binary: the same names each time, beside a placeholder.
    outDir: '../../internal/demo/members/dist',
    emptyOutDir: false,
    rollupOptions: { output: { entryFileNames: 'assets/[name].js', assetFileNames: 'assets/[name][extname]' } },
    // The page's policy admits no inline script, and files only from its own origin.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
})
