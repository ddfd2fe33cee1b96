import { defineConfig } from 'tsdown'

const shared = { platform: 'browser', target: 'es2022', minify: true, outDir: 'dist' } as const

// biome-ignore lint/style/noDefaultExport: tsdown reads its configuration from there
export default defineConfig([
  {
    ...shared,
    entry: ['src/index.ts', 'src/axios.ts', 'src/vue.ts', 'src/react.ts'],
    dts: true,
    clean: true,
    outExtensions: () => ({ js: '.js', dts: '.d.ts' }),
  },
  {
    ...shared,
    entry: { 'munjigi-client': 'src/script.ts' },
    format: 'iife',
    globalName: 'Munjigi',
    dts: false,
    clean: false,
  },
])
