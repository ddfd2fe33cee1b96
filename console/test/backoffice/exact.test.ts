import { expect, test } from 'vitest'
import { compare, isRow, numberOf, parseExact, same, writeExact } from '../../src/backoffice/exact'

test.each([
  '9223372036854775807',
  '-9223372036854775808',
  '9007199254740993',
  '123456789012345678901234567890',
  '0.1234567890123456789',
  '12345678901234567.25',
  '1',
  '-0.5',
  '[1,9007199254740993,{"id":9223372036854775807,"name":"가"}]',
])('%s is written as it was read', (text) => {
  expect(writeExact(parseExact(text))).toBe(text)
})

test('what a double holds is a plain number', () => {
  expect(parseExact('{"a":42,"b":1.5,"c":9007199254740991}')).toEqual({ a: 42, b: 1.5, c: 9_007_199_254_740_991 })
  expect(typeof parseExact('9007199254740993')).toBe('bigint')
})

test('of a key that is there twice the last one counts', () => {
  expect(parseExact('{"a":1,"a":2}')).toEqual({ a: 2 })
})

test('a name of the language is a name like any other', () => {
  const value = parseExact('{"__proto__":{"admin":true},"constructor":1}')
  expect((value as { admin?: boolean }).admin).toBeUndefined()
})

test.each(['', '{', 'nul', "{'a':1}", '<html>'])('%s is no JSON', (text) => {
  expect(() => parseExact(text)).toThrow()
})

test.each([
  ['12', 12],
  [' +7 ', 7],
  ['007', 7],
  ['9223372036854775807', 9_223_372_036_854_775_807n],
  ['-1.50', -1.5],
  ['1e3', 1000],
  ['', null],
  ['12a', null],
  ['0x10', null],
  ['1,5', null],
  ['Infinity', null],
])('%s typed is %s', (text, want) => {
  expect(numberOf(text)).toEqual(want)
})

test('values are the same whatever the order of their properties, and never by rounding', () => {
  expect(same(parseExact('{"a":1,"b":[1,2]}'), parseExact('{"b":[1,2],"a":1}'))).toBe(true)
  expect(same(parseExact('9007199254740993'), parseExact('9007199254740992'))).toBe(false)
  expect(same({ a: undefined }, {})).toBe(false)
  expect(same([1], { 0: 1 })).toBe(false)
  expect(same(null, {})).toBe(false)
})

test('long integers are compared digit by digit', () => {
  expect(compare(parseExact('9223372036854775807'), parseExact('9223372036854775806'))).toBeGreaterThan(0)
  expect(compare(2, 10)).toBeLessThan(0)
  expect(compare(1.5, 1.25)).toBeGreaterThan(0)
})

test('a file, a list and a long number are no rows', () => {
  expect([
    isRow(new File([], 'a')),
    isRow([]),
    isRow(parseExact('0.12345678901234567890')),
    isRow(null),
    isRow({}),
  ]).toEqual([false, false, false, false, true])
})
