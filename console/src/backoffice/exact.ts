import { isLosslessNumber, isSafeNumber, LosslessNumber, parse, stringify } from 'lossless-json'
import type { Value } from './types'

// JSON.parse makes 9007199254740993 an even number. Every number that a double cannot hold digit by digit is kept:
// integers as bigint, others as their text.

const integer = /^-?\d+$/

function parseNumber(text: string): number | bigint | LosslessNumber {
  if (isSafeNumber(text)) return Number.parseFloat(text)
  return integer.test(text) ? BigInt(text) : new LosslessNumber(text)
}

/** Reads JSON with every digit of its numbers. Of a key that is there twice the last one counts, as everywhere. */
export function parseExact(text: string): Value {
  return parse(text, undefined, { parseNumber, onDuplicateKey: ({ newValue }) => newValue })
}

/** Writes what `parseExact` has read, digit by digit. */
export function writeExact(value: Value, space?: number): string {
  return stringify(value, undefined, space) ?? 'null'
}

/** A number as it is typed, for JSON; null when it is none. */
export function numberOf(text: string): number | bigint | LosslessNumber | null {
  const trimmed = text.trim().replace(/^\+/, '')
  return /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(trimmed) ? parseNumber(trimmed.replace(/^(-?)0+(?=\d)/, '$1')) : null
}

export function isNumber(value: Value): value is number | bigint | LosslessNumber {
  return typeof value === 'number' || typeof value === 'bigint' || isLosslessNumber(value)
}

/** An object of JSON: no list, and no number in disguise. */
export function isRow(value: Value): value is Record<string, Value> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return !isLosslessNumber(value) && !(value instanceof Blob)
}

/** Whether two JSON values are the same, whatever the order of properties. */
export function same(a: Value, b: Value): boolean {
  if (a === b) return true
  if (isNumber(a) && isNumber(b)) return compare(a, b) === 0
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((it, i) => same(it, b[i]))
  if (!isRow(a) || !isRow(b)) return false
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]))
}

/** Below, at, or above 0 as a is smaller, equal or greater; integers of any length are compared digit by digit. */
export function compare(a: Value, b: Value): number {
  const [left, right] = [String(a), String(b)]
  if (integer.test(left) && integer.test(right)) {
    const [x, y] = [BigInt(left), BigInt(right)]
    return x < y ? -1 : x > y ? 1 : 0
  }
  return left === right ? 0 : Number(left) - Number(right)
}
