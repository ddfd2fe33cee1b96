import { expect, test } from 'vitest'
import { fillPath, headersOf, idsOf, isHeaderText, queryText, recordPath } from '../../src/backoffice/address'
import { parseExact } from '../../src/backoffice/exact'
import {
  callQuery,
  canSort,
  nextSort,
  orderOf,
  type Query,
  readQuery,
  withPage,
  withParam,
  writeQuery,
} from '../../src/backoffice/list-query'
import type { Resource, Row } from '../../src/backoffice/types'
import { getOrder, listOrders, orders } from './shop'

test('an address says what is asked, and what is asked says the address', () => {
  const address = { q: '김', status: 'paid', page: '3', tab: 'notes', tag: ['a', 'b'], _columns: 'id,status' }
  const query = readQuery(orders, address)
  expect(query).toEqual({ q: '김', status: 'paid', page: '3', _columns: 'id,status' })
  expect(writeQuery(orders, address, query)).toEqual(address)
})

test('another filter begins at the first page, and keeps the rest', () => {
  const query: Query = { q: 'x', page: '3', sort: '-id' }
  expect(withParam(orders, query, { status: 'paid' })).toEqual({ q: 'x', sort: '-id', status: 'paid' })
  expect(withParam(orders, query, { q: null })).toEqual({ sort: '-id' })
  expect(withPage(orders, query, '')).toEqual({ q: 'x', sort: '-id' })
})

test('a call says only what the operation knows, and how many rows', () => {
  const query: Query = { q: 'a&b', status: 'paid', page: '2', _columns: 'id', evil: '1' }
  expect(callQuery(orders, listOrders, query)).toBe('?q=a%26b&status=paid&page=2&per_page=20')
  expect(callQuery(orders, listOrders, {})).toBe('?page=1&per_page=20')
  expect(callQuery(orders, listOrders, { per_page: '5000' })).toBe('?page=1&per_page=100')
})

test('a whole query for the next page is the whole query', () => {
  const resource: Resource = { ...orders, paging: { style: 'cursor', next: '/next' } }
  const query = withPage(resource, { q: 'x' }, 'after=7&q=x')
  expect(query).toEqual({ q: 'x', _next: 'after=7&q=x' })
  expect(callQuery(resource, listOrders, query)).toBe('?after=7&q=x')
  expect(withParam(resource, query, { q: 'y' })).toEqual({ q: 'y' })
})

const sorted = (sort: Resource['sort']): Resource => ({ ...orders, ...(sort ? { sort } : {}) })

test.each<[string, Resource['sort'], Record<string, string | null>[]]>([
  ['minus', { param: 'sort', style: 'minus' }, [{ sort: 'id' }, { sort: '-id' }, { sort: null }]],
  ['word', { param: 'order_by', style: 'word' }, [{ order_by: 'id' }, { order_by: 'id desc' }, { order_by: null }]],
  ['comma', { param: 'sort', style: 'comma' }, [{ sort: 'id' }, { sort: 'id,desc' }, { sort: null }]],
  ['plain', { param: 'sort', style: 'plain' }, [{ sort: 'id' }, { sort: null }]],
  [
    'plain with a direction',
    { param: 'sort', style: 'plain', direction: 'order' },
    [
      { sort: 'id', order: 'asc' },
      { sort: 'id', order: 'desc' },
      { sort: null, order: null },
    ],
  ],
  [
    'values',
    {
      param: 'sort',
      style: 'values',
      by: [
        { column: 'id', value: 'ID_ASC', title: '' },
        { column: 'id', value: 'ID_DESC', title: '' },
      ],
    },
    [{ sort: 'ID_ASC' }, { sort: 'ID_DESC' }, { sort: null }],
  ],
])('a heading pressed again and again: %s', (_, sort, wanted) => {
  const resource = sorted(sort)
  let query: Query = {}
  for (const want of wanted) {
    const changes = nextSort(resource, query, 'id')
    expect(changes).toEqual(want)
    query = withParam(resource, query, changes)
    if (Object.values(want)[0]) expect(orderOf(resource, query)?.column).toBe('id')
  }
  expect(orderOf(resource, query)).toBeNull()
})

test('only what the service sorts by can be sorted by', () => {
  expect(canSort(orders, 'amount')).toBe(true)
  expect(
    canSort(sorted({ param: 'sort', style: 'minus', by: [{ column: 'id', value: 'id', title: '' }] }), 'amount'),
  ).toBe(false)
  expect(orderOf(sorted({ param: 'sort', style: 'minus' }), { sort: '-amount' })).toEqual({
    column: 'amount',
    down: true,
  })
})

test.each<[string, Record<string, string>, string[], string | null]>([
  ['/orders/{id}', { id: 'a/b?c' }, [], '/orders/a%2Fb%3Fc'],
  ['/shops/{shop}/orders/{id}:hide', { shop: '1', id: '2' }, [], '/shops/1/orders/2:hide'],
  ['/shops/{shop_id}/close', { id: '7' }, ['7'], '/shops/7/close'],
  ['/orders/{id}', {}, [], null],
  ['/orders/{id}', { id: '' }, [], null],
  ['/orders/{id}', { id: '..' }, [], null],
  ['/orders/{id}/x', { id: '.' }, [], null],
])('%s filled in with %o', (path, names, inOrder, want) => {
  expect(fillPath(path, names, inOrder)).toBe(want)
})

test('ids of any length, from wherever the row has them', () => {
  const row = parseExact('{"id":9223372036854775807,"meta":{"name":"projects/1/shops/12"}}') as Row
  expect(idsOf(orders, getOrder, row)).toEqual(['9223372036854775807'])
  const named = { ...orders, keys: { id: '/meta/name#last' } }
  expect(idsOf(named, getOrder, row)).toEqual(['12'])
  const nested = { ...getOrder, path: '/shops/{id}/orders/{order}' }
  expect(idsOf({ ...orders, keys: {} }, nested, { id: 5 }, ['3'])).toEqual(['3', '5'])
  expect(idsOf(orders, getOrder, {})).toEqual([])
  expect(recordPath('shop', 'orders', ['a/b'])).toBe('/s/shop/orders/a%2Fb')
})

test('lists in a query are repeated or joined, as the operation wants them', () => {
  const list = { in: 'query', name: 'tag', title: '', type: 'array' }
  expect(queryText([list], { tag: ['a', 'b'] })).toBe('?tag=a%2Cb')
  expect(queryText([{ ...list, explode: true }], { tag: ['a', 'b'] })).toBe('?tag=a&tag=b')
  expect(queryText([{ ...list, in: 'header' }], { tag: ['a'] })).toBe('')
})

test('what a document asks for in headers goes into headers, and what cannot travel there is known', () => {
  const parameter = (name: string, place: string) => ({ name, in: place, title: '', type: 'string' })
  const parameters = [parameter('X-Shop', 'header'), parameter('X-Tags', 'header'), parameter('q', 'query')]
  const values = { 'X-Shop': 's1', 'X-Tags': ['a', 'b'], q: 'x' }
  expect(headersOf(parameters, values)).toEqual({ 'X-Shop': 's1', 'X-Tags': 'a,b' })
  expect(headersOf(parameters, { 'X-Shop': '', q: 'x' })).toEqual({})
  expect(isHeaderText('a b')).toBe(true)
  for (const text of ['가게', 'a\nb']) expect(isHeaderText(text)).toBe(false)
})
