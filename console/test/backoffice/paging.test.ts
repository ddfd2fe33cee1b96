import { expect, test } from 'vitest'
import { nextParam, previousOf, readPage, recordOf, sizeOf, sizesOf, startOf } from '../../src/backoffice/paging'
import type { Paging, Value } from '../../src/backoffice/types'

const rows = (n: number, from = 1) => Array.from({ length: n }, (_, i) => ({ id: from + i }))

function page(paging: Paging, answer: Value, asked?: string, headers: Record<string, string> = {}, size = 2) {
  const resource = { rows: '/items', id: 'id', paging }
  return readPage(resource, answer, new Headers(headers), asked, size)
}

const byPage: Paging = { style: 'page', param: 'page', size: 'per_page', first: 1, total: '/total' }
const byOffset: Paging = { style: 'offset', param: 'offset', size: 'limit', total: '/total' }
const byCursor: Paging = { style: 'cursor', param: 'cursor', next: '/next' }

test.each<[string, Paging, Value, string | undefined, Record<string, string>, string | null, number | null]>([
  ['page: the first of three', byPage, { items: rows(2), total: 5 }, undefined, {}, '2', 5],
  ['page: the last', byPage, { items: rows(1), total: 5 }, '3', {}, null, 5],
  [
    'page: counted from 0',
    { style: 'page', param: 'page', total: '/total' },
    { items: rows(2), total: 5 },
    '1',
    {},
    '2',
    5,
  ],
  [
    'page: an unknown total, a full page',
    { style: 'page', param: 'page', first: 1 },
    { items: rows(2) },
    '4',
    {},
    '5',
    null,
  ],
  [
    'page: an unknown total, a page that is not full',
    { style: 'page', param: 'page', first: 1 },
    { items: rows(1) },
    '4',
    {},
    null,
    null,
  ],
  [
    'page: more says so',
    { style: 'page', param: 'page', first: 1, more: '/has_more' },
    { items: rows(2), has_more: false },
    '4',
    {},
    null,
    null,
  ],
  ['offset', byOffset, { items: rows(2), total: 5 }, '2', {}, '4', 5],
  ['offset: the last', byOffset, { items: rows(1), total: 5 }, '4', {}, null, 5],
  ['offset: a total of nothing', byOffset, { items: [], total: 5 }, '4', {}, null, 5],
  ['cursor', byCursor, { items: rows(2), next: 'abc=' }, undefined, {}, 'abc=', null],
  ['cursor: empty is the end', byCursor, { items: rows(2), next: '' }, 'abc', {}, null, null],
  ['cursor: null is the end', byCursor, { items: rows(2), next: null }, 'abc', {}, null, null],
  [
    'cursor: has_more false beats a cursor',
    { ...byCursor, more: '/has_more' },
    { items: rows(2), next: 'abc', has_more: false },
    undefined,
    {},
    null,
    null,
  ],
  [
    'cursor: the whole address',
    byCursor,
    { items: rows(2), next: 'https://api.example/x?limit=2&cursor=q%2B1' },
    undefined,
    {},
    'q+1',
    null,
  ],
  [
    'cursor: an address without a parameter',
    { style: 'cursor', next: '/next' },
    { items: rows(2), next: '/x?a=1&b=2' },
    undefined,
    {},
    'a=1&b=2',
    null,
  ],
  [
    'cursor: the last id',
    { style: 'cursor', param: 'starting_after', next: 'last:id', more: '/has_more' },
    { items: rows(2), has_more: true },
    undefined,
    {},
    '2',
    null,
  ],
  [
    'cursor: the last id, no more',
    { style: 'cursor', param: 'starting_after', next: 'last:id', more: '/has_more' },
    { items: rows(2), has_more: false },
    undefined,
    {},
    null,
    null,
  ],
  [
    'Link',
    { style: 'cursor', param: 'page_token', next: 'link' },
    { items: rows(2) },
    undefined,
    { Link: '<https://a.example/x?page_token=p1>; rel="prev", </x?page_token=p3&limit=2>; rel="next"' },
    'p3',
    null,
  ],
  [
    'Link without next',
    { style: 'cursor', param: 'page_token', next: 'link' },
    { items: rows(2) },
    undefined,
    { Link: '</x?page_token=p1>; rel="prev"' },
    null,
    null,
  ],
  ['none', { style: 'none' }, { items: rows(2) }, undefined, {}, null, null],
  [
    'a total in a header',
    { style: 'page', param: 'page', first: 1, total: 'header:X-Total-Count' },
    { items: rows(2) },
    undefined,
    { 'X-Total-Count': '7' },
    '2',
    7,
  ],
  ['a total that is none is unknown', byPage, { items: rows(2), total: 'many' }, undefined, {}, '2', null],
])('%s', (_, paging, answer, asked, headers, next, total) => {
  expect(page(paging, answer, asked, headers)).toMatchObject({ next, total })
})

test('an answer without its rows is not taken for an empty list', () => {
  expect(page(byPage, { data: rows(2) })).toBeNull()
  expect(page(byPage, '<html>')).toBeNull()
})

test('attributes are unwrapped, with the element beside them', () => {
  const resource = { rows: '/data', each: '/attributes', id: 'id', paging: { style: 'none' as const } }
  const answer = { data: [{ id: '7', type: 'shops', attributes: { name: 'A', id: 'inner' } }] }
  expect(readPage(resource, answer, new Headers(), undefined, 20)?.rows).toEqual([
    { id: 'inner', type: 'shops', name: 'A' },
  ])
  expect(recordOf({ record_at: '/data', each: '/attributes' }, { data: answer.data[0] })).toMatchObject({ name: 'A' })
  expect(recordOf({}, [])).toBeNull()
  expect(recordOf({ each: '/node' }, { node: { a: 1 } })).toEqual({ node: { a: 1 } })
})

test.each<[string, Paging, string | undefined, string | null | undefined]>([
  ['the first page has none', byPage, undefined, null],
  ['the second leads to the first, which needs no number', byPage, '2', ''],
  ['the third leads to the second', byPage, '3', '2'],
  ['an offset less than a page leads to the beginning', byOffset, '1', ''],
  ['offset', byOffset, '6', '4'],
  ['before a cursor nobody knows', byCursor, 'abc', undefined],
  ['nonsense is the first page', byPage, 'x', null],
])('the page before: %s', (_, paging, asked, want) => {
  expect(previousOf(paging, asked, 2)).toBe(want)
})

test('the first row of a page has its number, where it can be known', () => {
  expect([
    startOf(byPage, '3', 20),
    startOf(byOffset, '40', 20),
    startOf(byCursor, 'x', 20),
    startOf(byCursor, undefined, 20),
  ]).toEqual([41, 41, null, 1])
})

test('no more rows are asked for than the service gives', () => {
  const paging: Paging = { style: 'page', size: 'per_page', size_usual: 20, size_most: 50 }
  expect([
    sizeOf(paging, undefined),
    sizeOf(paging, '100'),
    sizeOf(paging, '-1'),
    sizeOf({ style: 'none' }, undefined),
  ]).toEqual([20, 50, 20, 25])
  expect(sizesOf(paging)).toEqual([10, 20, 25, 50])
  expect(sizesOf({ style: 'page' })).toEqual([])
  expect(nextParam.startsWith('_')).toBe(true)
})
