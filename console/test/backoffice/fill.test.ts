import { expect, test } from 'vitest'
import { changeOf, differences, mergePatch, rebase, wouldWipe } from '../../src/backoffice/change'
import {
  type Draft,
  type Group,
  type List,
  type MapOf,
  newKey,
  type Switched,
  startDraft,
  toDraft,
  withDefaults,
} from '../../src/backoffice/draft'
import { parseExact, writeExact } from '../../src/backoffice/exact'
import { fill } from '../../src/backoffice/fill'
import type { Field, Operation, Row, Value } from '../../src/backoffice/types'
import { widgetOf } from '../../src/backoffice/widget'
import { order, updateOrder } from './shop'

const body = updateOrder.body as NonNullable<Operation['body']>
const field = (type: string, more: Partial<Field> = {}): Field => ({ title: '', type, ...more })
const object = (...fields: Field[]): Field => field('object', { fields })
const named = (name: string, type: string, more: Partial<Field> = {}): Field => field(type, { name, ...more })

const record = `{"id":9223372036854775807,"shop_id":"s1","status":"paid","amount":9007199254740993,"currency":"KRW","ordered_at":"2026-11-20T09:30:15.123+09:00","phone":"••••","note":null,"paid":true,"tags":["a","b"],"address":{"city":"서울","street":"","zip":"04524"},"extra":{"x":1.10}}`

function edited(change: (draft: Group) => void, schema: Field = order): Row {
  const before = parseExact(record) as Row
  const draft = toDraft(schema, before) as Group
  change(draft)
  const { value, wrongs } = fill(schema, draft, before)
  expect(wrongs).toEqual({})
  return value as Row
}

test('what was not touched is what it was, digit by digit, with what the form does not know', () => {
  const value = edited(() => {})
  expect(writeExact(value.amount)).toBe('9007199254740993')
  expect(value.address).toEqual({ city: '서울', street: '', zip: '04524' })
  expect(value.ordered_at).toBe('2026-11-20T09:30:15.123+09:00')
  expect(value.extra).toEqual({ x: 1.1 })
  expect(value.note).toBeNull()
  expect('phone' in value, 'a masked value goes nowhere').toBe(false)
  expect('id' in value, 'what is read only is not sent').toBe(false)
})

test('an edit sends what has changed and nothing else', () => {
  const before = parseExact(record) as Row
  const after = edited((draft) => {
    draft.fields.amount = '9007199254740995'
    draft.fields.note = 'call first'
  })
  expect(writeExact(changeOf(updateOrder, before, after))).toBe('{"amount":9007199254740995,"note":"call first"}')
})

test('PUT sends all of it, and nothing at all where that would wipe what is masked', () => {
  const put = {
    ...updateOrder,
    method: 'PUT',
    body: { ...body, schema: object(named('own', 'string', { read_only: true })) },
  }
  const before = { a: 1, phone: '••••', own: '••••' }
  expect(wouldWipe(put, before)).toBe(true)
  expect(() => changeOf(put, before, { a: 1, b: 2 })).toThrow('S_MASKED')
  expect(() => changeOf(put, before, { a: 1, b: 2, phone: '••••' })).toThrow('S_MASKED')
  expect(changeOf(put, before, { a: 1, b: 2, phone: '010' })).toEqual({ a: 1, b: 2, phone: '010' })
  expect(wouldWipe(put, { a: 1, own: '••••' }), 'what is read only is not replaced').toBe(false)
  expect(wouldWipe(updateOrder, before), 'PATCH leaves the rest alone').toBe(false)
})

test('what is masked within an object is neither a change nor wiped by one', () => {
  const before = { address: { city: 'Seoul', phone: '••••' }, people: [{ name: 'a', phone: '••••' }] }
  const untouched = { address: { city: 'Seoul' }, people: [{ name: 'a' }], note: 'x' }
  const merge = { ...updateOrder, body: { ...body, media: 'application/merge-patch+json' } }
  for (const operation of [updateOrder, merge]) expect(changeOf(operation, before, untouched)).toEqual({ note: 'x' })
  const moved = { address: { city: 'Busan' }, people: [{ name: 'a' }] }
  expect(() => changeOf(updateOrder, before, moved)).toThrow('S_MASKED')
  expect(changeOf(merge, before, moved)).toEqual({ address: { city: 'Busan' } })
  const fewer = { address: { city: 'Seoul' }, people: [] }
  expect(changeOf(merge, before, fewer)).toEqual({ people: [] })
  expect(() => changeOf(merge, before, { ...untouched, people: [{ name: 'b' }] })).toThrow('S_MASKED')
})

test('a merge patch says null for what is gone, and leaves the rest of an object alone', () => {
  expect(mergePatch({ a: 1, map: { x: 1, y: 2 } }, { a: 1, map: { x: 1, z: 3 } })).toEqual({ map: { y: null, z: 3 } })
  expect(mergePatch({ a: [1] }, { a: [1, 2] })).toEqual({ a: [1, 2] })
})

test('an emptied value is null where it may be, the empty text of a text, and missing where it is needed', () => {
  const schema = object(
    named('a', 'string', { nullable: true }),
    named('b', 'string'),
    named('c', 'string', { required: true }),
    named('d', 'integer'),
  )
  const before = { a: 'x', b: 'x', c: 'x', d: 1 }
  const draft: Group = { fields: { a: '', b: '', c: '', d: '' } }
  const { value, wrongs } = fill(schema, draft, before)
  expect(value).toEqual({ a: null, b: '', d: null })
  expect(wrongs).toEqual({ '/c': { code: 'required' } })
})

test.each<[string, Field, Draft, Value, string?]>([
  ['a text', field('string'), 'x', 'x'],
  ['nothing', field('string'), '', undefined],
  ['a long integer', field('integer'), '9223372036854775807', 9_223_372_036_854_775_807n],
  ['thousands as people write them', field('integer'), '1,234,000', 1_234_000],
  ['a comma elsewhere', field('integer'), '1,5', undefined, 'number'],
  ['a broken integer', field('integer'), '1.5', 1.5, 'integer'],
  ['letters', field('number'), 'abc', undefined, 'number'],
  ['too small', field('integer', { minimum: 1 }), '0', 0, 'least'],
  [
    'beyond a long limit, by one',
    field('integer', { maximum: 9_223_372_036_854_775_806n }),
    '9223372036854775807',
    9_223_372_036_854_775_807n,
    'most',
  ],
  ['at a limit that is out', field('integer', { minimum: 1, exclusive_minimum: true }), '1', 1, 'least'],
  ['too short, counted in letters', field('string', { min_length: 2 }), '😀', '😀', 'short'],
  ['too long', field('string', { max_length: 1 }), 'ab', 'ab', 'long'],
  ['against the pattern', field('string', { pattern: '^[A-Z]{3}$' }), 'kr', 'kr', 'pattern'],
  [
    'a pattern that could take for ever is left to the service',
    field('string', { pattern: '^(a+)+$' }),
    'aaaaaaaaaaaaaaaaaaaaaaaa!',
    'aaaaaaaaaaaaaaaaaaaaaaaa!',
  ],
  ['a pattern that is none', field('string', { pattern: '[' }), 'x', 'x'],
  ['yes', field('boolean'), 'true', true],
  ['a choice that is a number', field('integer', { choices: [{ value: 7, title: 'Seven' }] }), '7', 7],
  ['a choice that is a text', field('string', { choices: [{ value: 'a', title: 'A' }] }), '"a"', 'a'],
  [
    'tags of numbers',
    field('array', { items: field('integer') }),
    ['1', '9223372036854775807'],
    [1, 9_223_372_036_854_775_807n],
  ],
  ['too few', field('array', { items: field('string'), min_items: 2 }), ['a'], ['a'], 'few'],
  ['JSON', field('any'), '{"a":9007199254740993}', { a: 9_007_199_254_740_993n }],
  ['no JSON', field('any'), '{a}', undefined, 'json'],
  [
    'a moment has a zone',
    field('string', { format: 'date-time' }),
    '2026-11-26T09:00',
    new Date('2026-11-26T09:00').toISOString().replace('.000Z', 'Z'),
  ],
])('%s', (_, schema, draft, value, wrong) => {
  const found = fill(schema, draft, undefined)
  expect(found.value).toEqual(value)
  expect(found.wrongs['']?.code).toBe(wrong)
})

test('what is wrong is said where it is', () => {
  const schema = object(
    named('items', 'array', { items: object(named('n', 'integer', { required: true })) }),
    named('a/b', 'string', { required: true }),
  )
  const draft: Group = {
    fields: {
      items: { items: [1, 2].map((n) => ({ key: newKey(), draft: { fields: { n: n === 1 ? '1' : 'x' } } })) },
      'a/b': '',
    },
  }
  expect(fill(schema, draft, undefined).wrongs).toEqual({
    '/items/1/n': { code: 'number' },
    '/a~1b': { code: 'required' },
  })
})

test('an optional object that nobody began asks for nothing', () => {
  const inner = named('address', 'object', {
    fields: [named('city', 'string', { required: true }), named('street', 'string')],
  })
  const schema = object(named('name', 'string'), inner)
  const draft = startDraft(schema, undefined) as Group
  expect(fill(schema, draft, undefined)).toEqual({ value: {}, wrongs: {} })
  ;(draft.fields.address as Group).fields.street = 'x'
  expect(fill(schema, draft, undefined).wrongs).toEqual({ '/address/city': { code: 'required' } })
})

test('a map keeps its names, and two of one name are said', () => {
  const schema = field('object', { rest: field('integer') })
  expect(widgetOf(schema)).toBe('map')
  const draft = toDraft(schema, { a: 1, b: 9_007_199_254_740_993n }) as MapOf
  expect(fill(schema, draft, { a: 1, b: 9_007_199_254_740_993n }).value).toEqual({ a: 1, b: 9_007_199_254_740_993n })
  draft.entries.push({ key: newKey(), name: 'a', draft: '2' })
  expect(fill(schema, draft, { a: 1 }).wrongs).toEqual({ '': { code: 'twice', limit: 'a' } })
})

test('a switch sets its property, and finds its form again', () => {
  const card = {
    value: 'card',
    title: 'Card',
    field: object(named('kind', 'string'), named('digits', 'string', { required: true })),
  }
  const cash = { value: 'cash', title: 'Cash', field: object(named('kind', 'string')) }
  const schema = field('any', { variants: [card, cash], switch: 'kind' })
  const draft = toDraft(schema, { kind: 'card', digits: '12' }) as Switched
  expect(draft.chosen).toBe(0)
  expect(fill(schema, { chosen: 1, draft: startDraft(cash.field, undefined) }, undefined).value).toEqual({
    kind: 'cash',
  })
  expect(fill(schema, { chosen: 0, draft: startDraft(card.field, undefined) }, undefined).wrongs).toEqual({
    '/digits': { code: 'required' },
  })
  const unnamed = field('any', {
    variants: [
      { title: 'Id', field: field('integer') },
      { title: 'Name', field: field('string') },
    ],
  })
  expect((toDraft(unnamed, 'x') as Switched).chosen).toBe(1)
})

test('elements of a list keep what the form does not know of them', () => {
  const schema = field('array', { items: object(named('n', 'integer')) })
  const before = [{ n: 1, id: 'a' }]
  const draft = toDraft(schema, before) as List
  const [first] = draft.items
  if (first) (first.draft as Group).fields.n = '2'
  expect(fill(schema, draft, before).value).toEqual([{ n: 2, id: 'a' }])
})

test('a form begins with the defaults of its schema', () => {
  const schema = object(
    named('a', 'string', { default: 'x' }),
    named('b', 'object', { fields: [named('c', 'integer', { default: 3 })] }),
    named('d', 'string'),
  )
  expect(withDefaults(schema)).toEqual({ a: 'x', b: { c: 3 } })
})

test('a schema within itself, and what is nothing else, are edited as JSON', () => {
  expect([
    widgetOf(field('object', { again: 'Node' })),
    widgetOf(field('any')),
    widgetOf(field('array')),
    widgetOf(field('object')),
  ]).toEqual(['json', 'json', 'json', 'json'])
})

const fields = [named('a', 'string'), named('b', 'string'), named('c', 'string')]

test('of a conflict one sees what the other changed, and what both did', () => {
  const found = differences(fields, { a: '1', b: '1', c: '1' }, { a: '2', b: '2', c: '1' }, { a: '3', b: '1', c: '9' })
  expect(found.map(({ pointer, clash }) => [pointer, clash])).toEqual([
    ['/a', true],
    ['/b', false],
  ])
  expect(differences(fields, { a: '1' }, { a: '2' }, { a: '2' })[0]?.clash, 'both did the same').toBe(false)
})

test('mine goes onto theirs, except where theirs was chosen', () => {
  const [before, theirs, mine] = [
    { a: '1', b: '1', c: '1' },
    { a: '2', b: '2', c: '1' },
    { a: '3', b: '1', c: '9' },
  ]
  expect(rebase(before, theirs, mine, new Set())).toEqual({ a: '3', b: '2', c: '9' })
  expect(rebase(before, theirs, mine, new Set(['/a']))).toEqual({ a: '2', b: '2', c: '9' })
})
