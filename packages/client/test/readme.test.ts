import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** What the reader has already. */
const given = {
  session: "import('@munjigi/client').Session",
  axiosInstance: "import('axios').AxiosInstance",
  app: "import('vue').App",
  router: "import('vue-router').Router",
  Orders: '() => null',
}

test('what README.md shows compiles', () => {
  const readme = readFileSync(here('../README.md'), 'utf8')
  const blocks = [...readme.matchAll(/```tsx?\n([\s\S]*?)```/g)].map(([, code = '']) => code)
  expect(blocks).toHaveLength(5)
  const files = new Map(
    blocks.map((code, i) => {
      const missing = Object.entries(given).filter(([name]) => !code.includes(`const ${name} =`))
      const declared = missing.map(([name, type]) => `declare const ${name}: ${type}`)
      return [here(`../src/readme-${i}.ts`), [code, ...declared, 'export {}'].join('\n')]
    }),
  )
  const { config } = ts.readConfigFile(here('../tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, here('..'))
  const paths = Object.fromEntries(
    ['axios', 'vue', 'react'].map((it) => [`@munjigi/client/${it}`, [here(`../src/${it}`)]]),
  )
  paths['@munjigi/client'] = [here('../src/index')]
  const settings = { ...options, noEmit: true, noUnusedLocals: false, paths }
  const host = ts.createCompilerHost(settings)
  const { readFile, fileExists } = host
  host.readFile = (name) => files.get(name) ?? readFile(name)
  host.fileExists = (name) => files.has(name) || fileExists(name)
  const getSourceFile = host.getSourceFile
  host.getSourceFile = (name, ...more) => {
    const code = files.get(name)
    return code === undefined ? getSourceFile(name, ...more) : ts.createSourceFile(name, code, more[0])
  }
  const program = ts.createProgram([...files.keys()], settings, host)
  const problems = ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
  expect(problems).toEqual([])
})
