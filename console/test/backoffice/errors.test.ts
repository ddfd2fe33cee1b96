import { SessionError } from '@munjigi/client'
import { expect, test } from 'vitest'
import { whyNot } from '../../src/backoffice/allowed'
import { breach, fileName, replyOf } from '../../src/backoffice/call'
import { wrongsOf } from '../../src/backoffice/errors'
import { createIntention } from '../../src/backoffice/intention'
import { outcomesOf } from '../../src/backoffice/outcomes'
import { isSettled, mayPass, refusalOf, ServiceError } from '../../src/backoffice/trouble'
import { orders, refundOrder, screens } from './shop'

const refused = (answer: unknown, status = 422, headers: Record<string, string> = { 'Munjigi-From': 'service' }) =>
  refusalOf(new Response(JSON.stringify(answer), { status, headers }))

test.each<[string, unknown, Record<string, string>]>([
  ['RFC 9457', { errors: [{ pointer: '/items/0/price', detail: 'too low' }] }, { '/items/0/price': 'too low' }],
  ['a pointer as a fragment', { errors: [{ pointer: '#/name', detail: 'x' }] }, { '/name': 'x' }],
  ['JSON:API', { errors: [{ source: { pointer: '/data/attributes/name' }, title: 'x' }] }, { '/name': 'x' }],
  ['a parameter', { errors: [{ source: { parameter: 'from' }, detail: 'x' }] }, { '/from': 'x' }],
  ['huma', { errors: [{ location: 'body.items[1].n', message: 'x' }] }, { '/items/1/n': 'x' }],
  ['FastAPI', { detail: [{ loc: ['body', 'items', 0, 'n'], msg: 'x' }] }, { '/items/0/n': 'x' }],
  ['Rails', { errors: { name: ['a', 'b'], 'address.city': ['c'] } }, { '/name': 'a b', '/address/city': 'c' }],
  ['nested', { errors: { address: { city: 'x' } } }, { '/address/city': 'x' }],
  ['a name with a slash', { errors: { 'a/b': 'x' } }, { '/a~1b': 'x' }],
  ['nothing about fields', { detail: 'no' }, {}],
  ['nonsense', { errors: [null, 3, 'x'] }, {}],
])('what is wrong with fields, as %s says it', async (_, answer, want) => {
  expect(wrongsOf(await refused(answer))).toEqual(want)
})

test.each<[string, unknown, string]>([
  ['detail', { title: 'Conflict', detail: 'shipped already' }, 'shipped already'],
  ['message', { message: 'no' }, 'no'],
  ['nested', { error: { message: 'no' } }, 'no'],
  ['OAuth', { error: 'invalid', error_description: 'why' }, 'why'],
  ['nothing', { a: 1 }, ''],
])("a service's words: %s", async (_, answer, words) => {
  expect((await refused(answer, 409)).words).toBe(words)
})

test("whose refusal it is: a service's code is never taken for ours", async () => {
  const theirs = await refused({ code: 'session_revoked', detail: 'x' }, 401)
  expect([theirs.byService, theirs.code]).toEqual([true, 'status_401'])
  const ours = await refused({ code: 'service_unreachable' }, 502, { 'Munjigi-Request': 'r1' })
  expect([ours.byService, ours.code, ours.request]).toEqual([false, 'service_unreachable', 'r1'])
  const page = await refusalOf(new Response('<h1>Bad gateway</h1>', { status: 502 }))
  expect([page.code, page.words]).toEqual(['status_502', ''])
})

test('what may pass is tried again; what is settled is a new intention', () => {
  const error = (status: number) => new ServiceError({ code: 'x', status })
  expect([502, 503, 429, 408].map((status) => mayPass(error(status)))).toEqual([true, true, true, true])
  expect([400, 403, 409, 412, 422].map((status) => isSettled(error(status)))).toEqual([true, true, true, true, true])
  expect([500, 429].map((status) => isSettled(error(status)))).toEqual([false, false])
  expect(mayPass(new SessionError('E_TIMEOUT'))).toBe(true)
  expect(isSettled(new SessionError('E_TIMEOUT')), 'nobody knows what was done').toBe(false)
})

test('one key for each try of one intention, another for another', () => {
  let n = 0
  const intention = createIntention(() => `key-${++n}`)
  expect([intention.keyFor('a'), intention.keyFor('a')]).toEqual(['key-1', 'key-1'])
  expect(intention.keyFor('b')).toBe('key-2')
  intention.settle()
  expect(intention.keyFor('b')).toBe('key-3')
})

test('an answer that is no data is said to be none', async () => {
  const reply = (text: string, type: string, status = 200) =>
    replyOf(new Response(text, { status, headers: { 'Content-Type': type } }))
  await expect(reply('<h1>Hello</h1>', 'text/html')).rejects.toMatchObject({ code: 'S_HTML' })
  await expect(reply('hello', 'text/plain')).rejects.toMatchObject({ code: 'S_NOT_DATA' })
  await expect(reply('{"a":', 'application/json')).rejects.toMatchObject({ code: 'S_NOT_DATA' })
  expect((await reply('', 'application/json')).data).toBeUndefined()
  expect((await reply('{"id":9007199254740993}', 'application/vnd.api+json; charset=utf-8')).data).toEqual({
    id: 9_007_199_254_740_993n,
  })
  expect(breach({ status: 200, headers: new Headers({ 'Munjigi-Request': 'r' }) }, 'S_SHAPE')).toMatchObject({
    request: 'r',
  })
})

test.each<[string | null, string]>([
  ['attachment; filename="a.csv"', 'a.csv'],
  ["attachment; filename*=UTF-8''%EC%A3%BC%EB%AC%B8.csv", '주문.csv'],
  ['attachment; filename="../../etc/passwd"', '..-..-etc-passwd'],
  ["attachment; filename*=UTF-8''%E0%A4%A", 'invoice'],
  [null, 'invoice'],
])('a file is called by what the answer says: %s', (disposition, want) => {
  expect(fileName(disposition, '/services/shop/orders/1/invoice?x=1')).toBe(want)
})

test('why an operation is not to be had: first the person, then the row', () => {
  expect(whyNot(refundOrder, screens.refused)).toEqual({ kind: 'roles', roles: ['editor'] })
  expect(whyNot(refundOrder, { refundOrder: { code: 'operation_not_granted' } })).toEqual({ kind: 'waiting' })
  expect(whyNot(refundOrder, {}, orders, { status: 'refunded' })).toEqual({
    kind: 'state',
    field: 'status',
    wanted: ['paid', 'shipped'],
  })
  expect(whyNot(refundOrder, {}, orders, { status: 'paid' })).toBeNull()
  const allowing = { ...orders, allow: 'can' }
  expect(whyNot(refundOrder, {}, allowing, { status: 'paid', can: ['other'] })).toEqual({ kind: 'row' })
  expect(whyNot(refundOrder, {}, allowing, { status: 'paid', can: ['refundOrder'] })).toBeNull()
  expect(
    whyNot({ ...refundOrder, id: 'constructor' }, {}, orders, { status: 'paid' }),
    'a name of the language',
  ).toBeNull()
})

test.each<[string, unknown, Record<string, string>]>([
  [
    'a list with statuses',
    {
      results: [
        { id: '1', status: 200 },
        { id: '2', status: 409, detail: 'open orders' },
      ],
    },
    { 2: 'open orders' },
  ],
  ['failures alone', { done: 1, failed: [{ id: 2, reason: 'no' }] }, { 2: 'no' }],
  [
    'ok or not',
    [
      { id: '1', ok: true },
      { id: '2', ok: false, error: 'no' },
    ],
    { 2: 'no' },
  ],
  ['a problem each', { items: [{ product_id: '2', problem: { status: 409, detail: 'no' } }] }, { 2: 'no' }],
  ['a status that looks like an id', { results: [{ status: 1, id: '2', ok: false, detail: 'no' }] }, { 2: 'no' }],
  ['all went well', { count: 2 }, {}],
  ['ids of others', { failed: [{ id: '9', reason: 'no' }] }, {}],
])('what came of each row: %s', (_, answer, want) => {
  const found = outcomesOf(answer, ['1', '2'])
  expect(Object.fromEntries([...found].map(([key, error]) => [key, error.words]))).toEqual(want)
})
