// Draws what the annotations change, for docs/annotations.md: one service without any and with, side by side.

import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { listed, openOffice } from './backoffice-demo.mjs'

const to = fileURLToPath(new URL('../docs/annotations/', import.meta.url))

/** @typedef {import('playwright-core').Page} Page */

/** The document of a service; `note` gives what x-admin says, or nothing. */
function documentOf(/** @type {(admin: object) => object} */ note) {
  const json = (/** @type {object} */ schema) => ({
    200: { description: 'OK', content: { 'application/json': { schema } } },
  })
  const id = [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }]
  const subscription = {
    type: 'object',
    title: 'Subscription',
    ...note({ display: '{plan} · {customer}', columns: ['customer', 'plan', 'price', 'status', 'used', 'renews_at'] }),
    required: ['id'],
    properties: {
      id: { type: 'string' },
      customer: { type: 'string' },
      phone: { type: 'string', ...note({ sensitive: true }) },
      plan: { type: 'string' },
      price: { type: 'integer', ...note({ format: 'cents:USD' }) },
      status: {
        type: 'string',
        enum: ['active', 'past_due', 'banned'],
        ...note({ tone: { active: 'good', past_due: 'warn', banned: 'bad' } }),
      },
      used: { type: 'number', ...note({ format: 'percent' }) },
      storage: { type: 'integer', ...note({ format: 'bytes' }) },
      renews_at: { type: 'integer', ...note({ format: 'unix' }) },
      notes: { type: 'string', ...note({ format: 'markdown' }) },
    },
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Billing', version: '1' },
    paths: {
      '/subscriptions': {
        get: { operationId: 'listSubscriptions', responses: json({ type: 'array', items: subscription }) },
      },
      '/subscriptions/{id}': { get: { operationId: 'getSubscription', parameters: id, responses: json(subscription) } },
      '/subscriptions/{id}/suspend': {
        post: {
          operationId: 'suspend',
          summary: 'Suspend',
          parameters: id,
          responses: { 204: { description: 'Done' } },
          ...note({ when: { status: ['active'] }, danger: 'irreversible', guard: { reason: true } }),
        },
      },
    },
  }
}

const names = ['Ari Berg', 'Bo Lindqvist', 'Chae Yun', 'Dilan Aksoy', 'Emi Sato']
const rows = names.map((customer, i) => ({
  id: `sub_${i + 1}`,
  customer,
  phone: `+82 10-555-010${i}`,
  plan: ['Team', 'Solo', 'Company'][i % 3],
  price: [4900, 900, 19_900][i % 3],
  status: ['active', 'past_due', 'active', 'banned', 'active'][i],
  used: [62.5, 12, 98, 40, 71][i],
  storage: 734_003_200 * (i + 1),
  renews_at: 1_796_000_000 + i * 86_400,
  notes: 'Pays by **invoice**.\n\n- asks for a purchase order',
}))

/** The service, whose document is another below each path. */
async function startBilling() {
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname
    response.setHeader('Content-Type', 'application/json')
    if (path === '/plain.json') return response.end(JSON.stringify(documentOf(() => ({}))))
    if (path === '/annotated.json') return response.end(JSON.stringify(documentOf((admin) => ({ 'x-admin': admin }))))
    const id = path.split('/')[2]
    response.end(JSON.stringify(id ? rows.find((row) => row.id === id) : rows))
  })
  server.listen(0, 'localhost')
  await once(server, 'listening')
  const address = /** @type {import('node:net').AddressInfo} */ (server.address())
  return { url: `http://localhost:${address.port}`, stop: () => server.close() }
}

/** @type {Record<string, { path: string, there: string, act?: (page: Page) => Promise<unknown>, part: string }>} */
const pictures = {
  list: { path: '/subscriptions', there: '.table tbody tr', part: '.table-box' },
  record: { path: '/subscriptions/sub_1', there: '.record-facts', part: 'main' },
  action: {
    path: '/subscriptions/sub_1',
    there: '.el-dialog',
    part: '.el-dialog',
    act: (page) => page.locator('.head-actions button', { hasText: 'Suspend' }).click(),
  },
}

/** The two below each other, as one WebP picture. */
async function joined(/** @type {string[]} */ sources) {
  const images = await Promise.all(
    sources.map(async (source) => {
      const image = new Image()
      image.src = source
      await image.decode()
      return image
    }),
  )
  const gap = 24
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(...images.map(({ width }) => width)) + 2 * gap
  canvas.height = images.reduce((sum, { height }) => sum + height + gap, gap)
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'))
  pen.fillStyle = '#dfe3e1'
  pen.fillRect(0, 0, canvas.width, canvas.height)
  let y = gap
  for (const image of images) {
    pen.drawImage(image, gap, y)
    y += image.height + gap
  }
  return canvas.toDataURL('image/webp', 0.8)
}

const billing = await startBilling()
const service = (/** @type {string} */ name) =>
  `  ${name}: {url: "${billing.url}", realms: [staff], openapi: /${name}.json, roles: {read: [viewer], write: [editor]}}\n`
const office = await openOffice((text) => `${text.trimEnd()}\n${service('plain')}${service('annotated')}`)
try {
  await mkdir(to, { recursive: true })
  const { page } = await office.arrive('editor@example.com', '/account', { width: 1180 })
  for (const [name, { path, there, act, part }] of Object.entries(pictures)) {
    const both = []
    for (const which of ['plain', 'annotated']) {
      await page.goto(`${office.demo.url}/s/${which}${path}`)
      await (name === 'list' ? listed(page) : page.locator('.record-facts').waitFor())
      await act?.(page)
      await page.locator(there).first().waitFor()
      const shot = await page.locator(part).first().screenshot({ animations: 'disabled' })
      both.push(`data:image/png;base64,${shot.toString('base64')}`)
    }
    const sheet = await page.context().newPage()
    const webp = await sheet.evaluate(joined, both)
    await sheet.close()
    await writeFile(`${to}${name}.webp`, Buffer.from(webp.split(',')[1] ?? '', 'base64'))
    process.stdout.write(`docs/annotations/${name}.webp\n`)
  }
} finally {
  await office.close()
  billing.stop()
}
