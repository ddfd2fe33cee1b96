import { defineConfig } from 'tsdown'

const shared = { platform: 'browser', target: 'es2022', minify: true, outDir: 'dist' } as const

// biome-ignore lint/style/noDefaultExport: tsdown reads its configuration from there
export default defineConfig([
  // Each by itself, so that no file is shared and each budget counts all that is loaded.
  ...['index', 'axios', 'vue', 'react'].map((name) => ({
    ...shared,
    entry: { [name]: `src/${name}.ts` },
    dts: true,
    clean: false,
    outExtensions: () => ({ js: '.js', dts: '.d.ts' }),
  })),
  {
    ...shared,
    entry: { 'munjigi-client': 'src/script.ts' },
    format: 'iife',
    globalName: 'Munjigi',
    dts: false,
    clean: false,
  },
])
