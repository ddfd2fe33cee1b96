import { defineConfig } from 'vitest/config'

// biome-ignore lint/style/noDefaultExport: vitest reads its configuration from there
export default defineConfig({
  test: { include: ['test/*.test.ts'], testTimeout: 30_000, restoreMocks: true, unstubGlobals: true },
})
