import { expect, test } from 'vitest'
import { again, countOf, type Item, partsOf, runOver } from '../../src/backoffice/bulk'
import { type Reply, serviceCallOf } from '../../src/backoffice/call'
import { addDays, before, dayOf, isDay, lastDays, lengthOf } from '../../src/backoffice/days'
import { createRowCounter, exportList } from '../../src/backoffice/export'
import { axesOf, changeSince, figuresOf, shownCards, shownOf } from '../../src/backoffice/figures'
import { follow } from '../../src/backoffice/follow'
import { bodyRequest } from '../../src/backoffice/media'
import { at, below, property } from '../../src/backoffice/pointer'
import { columnsOf, safeImage, safeLink, textOf, titleOf } from '../../src/backoffice/show'
import type { Card, Field, Row } from '../../src/backoffice/types'
import { cardPath, pathBefore, readRange, writeRange } from '../../src/screens/home/range'
import { matches } from '../../src/shell/match'
import { listOrders, orders, refundOrder, status } from './shop'

const reply = (status: number, data: unknown, headers: Record<string, string> = {}): Reply => ({
  status,
  data,
  etag: '',
  headers: new Headers(headers),
})
const pause = async () => {}

test('each row has its own result, and one that fails stops no other', async () => {
  const items: Item<number>[] = [1, 2, 3, 4, 5].map((subject) => ({ subject, state: 'waiting' }))
  const failing = new Set([2, 4])
  let most = 0
  let running = 0
  const perform = async (n: number) => {
    most = Math.max(most, ++running)
    await Promise.resolve()
    running--
    if (failing.has(n)) throw new Error(`no ${n}`)
  }
  await runOver(items, { perform, changed() {}, stopped: () => false, width: 2 })
  expect(items.map(({ state }) => state)).toEqual(['done', 'failed', 'done', 'failed', 'done'])
  expect(most).toBe(2)
  failing.clear()
  again(items)
  expect(countOf(items, 'waiting')).toBe(2)
  await runOver(items, { perform, changed() {}, stopped: () => false })
  expect(countOf(items, 'done')).toBe(5)
})

test('stopped, it leaves the rest', async () => {
  const items: Item<number>[] = [1, 2, 3].map((subject) => ({ subject, state: 'waiting' }))
  let stop = false
  const perform = async () => {
    stop = true
  }
  await runOver(items, { perform, changed() {}, stopped: () => stop, width: 1 })
  expect(items.map(({ state }) => state)).toEqual(['done', 'waiting', 'waiting'])
  expect(partsOf([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]])
})

test('a 202 is followed to its end, and says how far it is', async () => {
  const answers = [
    reply(202, { progress: 0.5 }),
    reply(200, { status: 'running', done: 3, total: 4 }),
    reply(200, { status: 'done', counted: 7 }),
  ]
  const asked: string[] = []
  const shares: (number | null)[] = []
  const call = async (path: string) => {
    asked.push(path)
    return answers.shift() as Reply
  }
  const end = await follow(reply(202, undefined, { Location: '/services/shop/jobs/1' }), {
    call,
    base: '/services/shop',
    pause,
    progress: (share) => shares.push(share),
  })
  expect(end.data).toEqual({ status: 'done', counted: 7 })
  expect(asked).toEqual(Array(3).fill('/services/shop/jobs/1'))
  expect(shares).toEqual([null, 0.5, 0.75])
})

test('a 202 leads nowhere but to its own service, and an end that failed is no success', async () => {
  const call = async () => reply(200, { status: 'failed', detail: 'no stock' })
  const first = (Location: string) =>
    follow(reply(202, undefined, { Location }), { call, base: '/services/shop', pause })
  await expect(first('https://evil.example/x')).rejects.toMatchObject({ code: 'S_SHAPE' })
  await expect(first('/services/shopping/x')).rejects.toMatchObject({ code: 'S_SHAPE' })
  await expect(first('/services/shop/jobs/1')).rejects.toMatchObject({ code: 'S_FAILED', words: 'no stock' })
  expect((await follow(reply(202, undefined), { call, base: '/services/shop', pause })).status).toBe(202)
})

test('a call bears its headers, and every digit of its body', async () => {
  const seen: unknown[] = []
  const send = async (path: string, init: unknown) => {
    seen.push([path, init])
    return new Response('{}', { headers: { 'Content-Type': 'application/json', ETag: '"2"' } })
  }
  const call = serviceCallOf(send as never)
  const { etag } = await call('/services/shop/orders/1', {
    method: 'PATCH',
    body: { id: 9_007_199_254_740_993n },
    key: 'k',
    ifMatch: '"1"',
    reason: '고객 요청',
  })
  expect(etag).toBe('"2"')
  expect(seen[0]).toMatchObject([
    '/services/shop/orders/1',
    {
      method: 'PATCH',
      content: '{"id":9007199254740993}',
      headers: {
        'Content-Type': 'application/json',
        'Idempotency-Key': 'k',
        'If-Match': '"1"',
        'Munjigi-Reason': encodeURIComponent('고객 요청'),
      },
    },
  ])
})

test('files travel as the operation wants them', async () => {
  const file = new File(['hi'], 'a.txt', { type: 'text/plain' })
  const as = (media: string) =>
    bodyRequest(
      { ...refundOrder, body: { media, schema: { title: '', type: 'object' } } },
      { name: 'x', n: 9_007_199_254_740_993n, file },
    )
  const form = (await as('multipart/form-data')).form as FormData
  expect([form.get('name'), form.get('n'), (form.get('file') as File).name]).toEqual(['x', '9007199254740993', 'a.txt'])
  expect((await as('application/json')).body).toEqual({ name: 'x', n: 9_007_199_254_740_993n, file: 'aGk=' })
  const whole = await bodyRequest(
    { ...refundOrder, body: { media: 'image/*', schema: { title: '', type: 'string' } } },
    file,
  )
  expect([whole.file, whole.media]).toEqual([file, 'text/plain'])
})

test('rows of a CSV are counted as they come, line ends in quotes are none', async () => {
  const counter = createRowCounter()
  for (const piece of ['id,note\n1,"two\nli', 'nes"\n2,x']) counter.add(new TextEncoder().encode(piece))
  expect(counter.rows()).toBe(2)
  const send = async () =>
    new Response('id\n1\n2\n', { headers: { 'Content-Disposition': 'attachment; filename="o.csv"' } })
  const file = await exportList(send, '/exports/shop/orders', () => {}, new AbortController().signal)
  expect([file.rows, file.name, await file.blob.text()]).toEqual([2, 'o.csv', 'id\n1\n2\n'])
})

test('an export that breaks off midway is no file', async () => {
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('id\n1\n'))
      controller.error(new Error('gone'))
    },
  })
  await expect(
    exportList(
      async () => new Response(body),
      '/x',
      () => {},
      new AbortController().signal,
    ),
  ).rejects.toThrow('gone')
})

test.each([
  ['', { a: 1 }, { a: 1 }],
  ['/a/0', { a: ['x'] }, 'x'],
  ['/a~1b/c~0d', { 'a/b': { 'c~d': 1 } }, 1],
  ['/constructor', {}, undefined],
  ['/a/b', { a: null }, undefined],
])('at %s', (pointer, value, want) => {
  expect(at(value, pointer)).toEqual(want)
})

test('a property by the name that screens give it', () => {
  expect(property({ name: 'shops/12' }, 'name#last')).toBe('12')
  expect(property({ metadata: { name: 'x' } }, '/metadata/name')).toBe('x')
  expect(property({ 'a/b': 1 }, 'a/b')).toBe(1)
  expect(below('', 'a/b')).toBe('/a~1b')
})

const words = { language: 'en', yes: 'Yes', no: 'No', count: (n: number) => `${n} items` }

test.each<[string, Field, unknown, string, Row?]>([
  ['won', { title: '', type: 'integer', format: 'money:KRW' }, 12_000, '₩12,000'],
  [
    'its currency in the row',
    { title: '', type: 'integer', format: 'money:currency' },
    12,
    '$12.00',
    { currency: 'USD' },
  ],
  ['cents', { title: '', type: 'integer', format: 'cents:USD' }, 1234, '$12.34'],
  ['every digit', { title: '', type: 'integer' }, 9_223_372_036_854_775_807n, '9,223,372,036,854,775,807'],
  ['an id is not grouped', { name: 'id', title: '', type: 'integer' }, 10_242, '10242'],
  ['bytes', { title: '', type: 'integer', format: 'bytes' }, 1_500_000, '1.5 MB'],
  ['seconds', { title: '', type: 'integer', format: 'seconds' }, 5400, '1.5 hours'],
  ['percent', { title: '', type: 'number', format: 'percent' }, 12.5, '12.5%'],
  [
    'a time as seconds',
    { title: '', type: 'integer', format: 'unix' },
    0,
    new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' }).format(0),
  ],
  ['a choice', status, 'paid', 'Paid'],
  ['a day has no zone', { title: '', type: 'string', format: 'date' }, '2026-11-26', 'Nov 26, 2026'],
  ['no time is as it stands', { title: '', type: 'string', format: 'date-time' }, 'soon', 'soon'],
  ['objects are counted', { title: '', type: 'array', items: { title: '', type: 'object' } }, [{}, {}], '2 items'],
  ['nothing', { title: '', type: 'string' }, null, ''],
])('in words: %s', (_, field, value, want, row = {}) => {
  expect(textOf(field, value, words, row)).toBe(want)
})

test('a record is called by its display, by what names things, or by its id', () => {
  expect(titleOf(orders, { id: 9_223_372_036_854_775_807n })).toBe('Order 9223372036854775807')
  expect(titleOf({ row: orders.row }, { email: 'a@b' })).toBe('a@b')
  expect(
    titleOf(
      { ...orders, display: '{id} {status}', row: { ...orders.row, fields: [{ ...status, name: 'status' }] } },
      { id: 7, status: 'paid' },
    ),
  ).toBe('7 Paid')
  expect(titleOf({ row: orders.row, id: '/meta/uid' }, { meta: { uid: 7 } })).toBe('7')
  expect(columnsOf(orders, 'amount,nonsense,id').map(({ name }) => name)).toEqual(['amount', 'id'])
  expect(columnsOf(orders, 'nonsense').length).toBe(orders.columns.length)
})

test.each([
  ['https://a.example/x', true, true],
  ['http://a.example/x', true, false],
  ['javascript:alert(1)', false, false],
  ['data:image/png;base64,AA', false, false],
  ['//a.example', false, false],
])('%s is a link %s, and a picture %s', (address, link, image) => {
  expect([safeLink(address) !== null, safeImage(address) !== null]).toEqual([link, image])
})

const figures: Field[] = [
  { name: 'day', title: 'Day', type: 'string', format: 'date' },
  { name: 'n', title: 'Sales', type: 'integer' },
  { name: 'kind', title: 'Kind', type: 'string' },
]
const label = (_: Field | undefined, value: unknown) => String(value)

test('figures have their places and heights', () => {
  expect(axesOf(figures, undefined)).toEqual({ x: 'day', ys: ['n'], by: '' })
  const rows = [
    { day: '1', n: 3, kind: 'a' },
    { day: '1', n: '4', kind: 'b' },
    { day: '2', n: null, kind: 'a' },
  ]
  expect(figuresOf(rows, figures, { type: 'line', by: 'kind' }, label)).toEqual({
    labels: ['1', '2'],
    series: [
      { name: 'a', values: [3, null] },
      { name: 'b', values: [4, null] },
    ],
  })
  expect([changeSince(110, 100), changeSince(1, 0), changeSince(null, 1)]).toEqual([0.1, null, null])
})

const card = (pointer: string, chart: Card['chart']): Card => ({
  key: pointer,
  operation: 'stats',
  title: '',
  pointer,
  field: { title: '', type: 'integer' },
  chart,
  from: 'from',
  to: 'to',
})

test('a card compares itself with what lies beside it, which is no card then', () => {
  const sales = card('/sales', { type: 'stat', previous: 'before' })
  expect(shownCards([sales, card('/before', { type: 'stat' })])).toEqual([sales])
  expect(shownOf(sales, { sales: 5, before: 4 })).toMatchObject({ value: 5, previous: 4 })
  expect(shownOf(sales, { other: 5 })).toBeNull()
})

test('one range for all, and the same number of days before', () => {
  const span = { from: '2026-11-01', to: '2026-11-07' }
  expect([lengthOf(span), before(span)]).toEqual([7, { from: '2026-10-25', to: '2026-10-31' }])
  expect([lastDays(1, '2026-03-01'), addDays('2026-03-01', -1)]).toEqual([
    { from: '2026-03-01', to: '2026-03-01' },
    '2026-02-28',
  ])
  expect([isDay('2026-02-30'), isDay('2026-02-28'), dayOf('x')]).toEqual([false, true, ''])
  const range = readRange({ from: span.from, to: span.to, compare: '0' }, '2026-11-26')
  expect(range).toEqual({ span, compare: false })
  expect(writeRange(range, '2026-11-26')).toEqual({ ...span, compare: '0' })
  expect(writeRange(readRange({ from: 'x' }, '2026-11-26'), '2026-11-26')).toEqual({})
  const sales = card('/sales', { type: 'stat' })
  expect(cardPath(sales, listOrders, span)).toBe('/orders?from=2026-11-01&to=2026-11-07')
  expect(pathBefore(sales, listOrders, { span, compare: true })).toBe('/orders?from=2026-10-25&to=2026-10-31')
  expect(pathBefore(sales, listOrders, { span, compare: false })).toBeNull()
})

test('pages are found by any of their words, also by the initials of Hangul', () => {
  expect([
    matches('주문 마켓', '주'),
    matches('주문 마켓', 'ㅈㅁ'),
    matches('Sales report', 'rep sal'),
    matches('주문', '상품'),
  ]).toEqual([true, true, true, false])
})
