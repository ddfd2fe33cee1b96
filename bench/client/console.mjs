// The console in real Chromium: how soon a list can be used, and what a page of 100,000 rows costs beside the service's
// own time. The program is bin/munjigi.
//
//	node bench/client/console.mjs        # a table
//	node bench/client/console.mjs --json # the same for programs

import { once } from 'node:events'
import { createServer } from 'node:http'
import { listed, openOffice } from '../../e2e/backoffice-demo.mjs'

const rounds = 12
const rows = 100_000
const pageSize = 50

const number = { type: 'integer', format: 'int64' }
const item = {
  type: 'object',
  required: ['id', 'name', 'made_at', 'status', 'amount', 'note'],
  properties: {
    id: number,
    name: { type: 'string' },
    made_at: { type: 'string', format: 'date-time' },
    status: { type: 'string', enum: ['new', 'packed', 'sent'] },
    amount: number,
    note: { type: 'string' },
  },
}
const page = {
  type: 'object',
  required: ['items', 'total'],
  properties: { items: { type: 'array', items: item }, total: number },
}
const json = (schema) => ({ 200: { description: 'OK', content: { 'application/json': { schema } } } })
const parameter = (name) => ({ name, in: 'query', schema: { type: 'integer' } })
const document = {
  openapi: '3.1.0',
  info: { title: 'Warehouse', version: '1' },
  paths: {
    '/parcels': {
      get: {
        operationId: 'listParcels',
        parameters: [parameter('page'), parameter('per_page')],
        responses: json(page),
      },
    },
    '/parcels/{id}': {
      get: {
        operationId: 'getParcel',
        parameters: [{ name: 'id', in: 'path', required: true, schema: number }],
        responses: json(item),
      },
    },
  },
}

const rowAt = (id) => ({
  id,
  name: `소포 ${id}`,
  made_at: new Date(1_767_225_600_000 + id * 60_000).toISOString(),
  status: ['new', 'packed', 'sent'][id % 3],
  amount: (id * 7919) % 100_000,
  note: 'fragile '.repeat(8),
})

/** A service with 100,000 rows; it measures how long it takes itself. */
async function startWarehouse() {
  const times = []
  const server = createServer((request, response) => {
    const begun = performance.now()
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
    response.setHeader('Content-Type', 'application/json')
    if (pathname === '/openapi.json') return response.end(JSON.stringify(document))
    const id = Number(pathname.split('/')[2])
    if (id) return response.end(JSON.stringify(rowAt(id)))
    const size = Number(searchParams.get('per_page') ?? pageSize)
    const first = (Number(searchParams.get('page') ?? 1) - 1) * size
    const items = Array.from({ length: Math.min(size, rows - first) }, (_, i) => rowAt(first + i + 1))
    response.end(JSON.stringify({ items, total: rows }))
    times.push(performance.now() - begun)
  })
  server.listen(0, 'localhost')
  await once(server, 'listening')
  return { port: server.address().port, times, stop: () => server.close() }
}

const median = (all) => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)]

/** From a click on the next page until its rows are painted, in milliseconds. */
const turned = (tab) =>
  tab.evaluate(async () => {
    const first = () => document.querySelector('.table tbody .row-link')?.textContent
    const [before, begun] = [first(), performance.now()]
    ;[...document.querySelectorAll('.pages-way')].at(-1).click()
    while (first() === before) await new Promise(requestAnimationFrame)
    await new Promise(requestAnimationFrame)
    return performance.now() - begun
  })

/** From the way to an address until its list can be used: its rows are there, and the script is not busy. */
async function arrived(tab, url) {
  await tab.goto(url)
  await listed(tab)
  return tab.evaluate(() => new Promise((resolve) => requestIdleCallback(() => resolve(performance.now()))))
}

const warehouse = await startWarehouse()
const office = await openOffice(
  (text) =>
    `${text.trimEnd()}\n  warehouse: {url: "http://localhost:${warehouse.port}", realms: [staff], openapi: /openapi.json, roles: {read: [viewer]}}\n`,
)
try {
  const { page: tab } = await office.arrive('viewer@example.com', '/account')
  const address = `${office.demo.url}/s/warehouse/parcels?per_page=${pageSize}`
  await arrived(tab, address)
  const [loads, turns] = [[], []]
  for (let i = 0; i < rounds; i++) loads.push(await arrived(tab, address))
  warehouse.times.length = 0
  for (let i = 0; i < rounds; i++) turns.push(await turned(tab))
  const service = median(warehouse.times)
  const table = [
    { name: 'a list can be used, warm cache', ms: median(loads), goal: 1000 },
    {
      name: `next page of ${rows.toLocaleString('en')} rows, painted: our own time`,
      ms: median(turns) - service,
      goal: 100,
    },
    { name: 'the same: the service’s time', ms: service },
  ]
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(table)}\n`)
  else {
    process.stdout.write('console\n')
    for (const { name, ms, goal } of table) {
      const verdict = goal ? `goal ≤ ${goal} ms: ${ms <= goal ? 'met' : 'missed'}` : ''
      process.stdout.write(`  ${name.padEnd(56)}${ms.toFixed(1).padStart(8)} ms  ${verdict}\n`)
    }
  }
} finally {
  await office.close()
  warehouse.stop()
}
