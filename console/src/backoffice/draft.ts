import { isNumber, isRow, same, writeExact } from './exact'
import { mask } from './show'
import type { Field, Row, Value } from './types'
import { asked, widgetOf } from './widget'

/** What is in a form's inputs: texts as they are typed, whatever they will become. */
export type Draft = string | string[] | File | null | Group | List | MapOf | Switched

export interface Group {
  /** Whether the object is there at all: an optional one that was never filled in is not sent. */
  fields: Record<string, Draft>
}

export interface List {
  items: { key: number; draft: Draft }[]
}

export interface MapOf {
  entries: { key: number; name: string; draft: Draft }[]
}

export interface Switched {
  /** Which of the variants; -1 = none yet. */
  chosen: number
  draft: Draft
}

let keys = 0
/** A key for an element of a list that has none of its own. */
export const newKey = () => ++keys

/** What a form shows for a value; undefined = there is none yet. */
export function toDraft(field: Field, value: Value): Draft {
  switch (widgetOf(field)) {
    case 'group':
      return groupDraft(field, value)
    case 'list':
      return { items: listOf(value).map((it) => ({ key: newKey(), draft: toDraft(field.items as Field, it) })) }
    case 'map':
      return mapDraft(field, value)
    case 'switch':
      return switchDraft(field, value)
    case 'tags':
      return listOf(value).map(plain)
    case 'choices':
      return listOf(value).map((it) => writeExact(it))
    case 'choice':
      return value === undefined || value === null ? '' : writeExact(value)
    case 'file':
    case 'password':
      return widgetOf(field) === 'file' ? null : ''
    case 'json':
      return value === undefined ? '' : writeExact(value, 2)
    case 'datetime':
      return localTime(plain(value))
    case 'boolean':
      return booleanDraft(field, value)
    default:
      return value === mask ? '' : plain(value)
  }
}

function booleanDraft(field: Field, value: Value): string {
  if (typeof value === 'boolean') return String(value)
  return isTwoState(field) ? 'false' : ''
}

/** A boolean that has to be there is on or off; any other may be left open. */
export function isTwoState(field: Field): boolean {
  return Boolean(field.required) && !field.nullable
}

function plain(value: Value): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'object' && !isNumber(value) ? writeExact(value) : String(value)
}

function listOf(value: Value): Value[] {
  return Array.isArray(value) ? value : []
}

/** The draft of a form that begins: values that are there, else defaults. */
export function startDraft(field: Field, value: Value): Draft {
  return toDraft(field, value === undefined ? withDefaults(field) : value)
}

/** The value that the defaults of a schema make; undefined when there is none. */
export function withDefaults(field: Field): Value {
  if (field.default !== undefined) return field.default
  if (widgetOf(field) !== 'group') return undefined
  const values = asked(field).map((it) => [it.name ?? '', withDefaults(it)] as const)
  const there = values.filter(([, value]) => value !== undefined)
  return there.length > 0 ? Object.fromEntries(there) : undefined
}

function groupDraft(field: Field, value: Value): Group {
  const row: Row = isRow(value) ? value : {}
  const fields = asked(field).map((it) => [it.name ?? '', toDraft(it, own(row, it.name ?? ''))] as const)
  return { fields: Object.fromEntries(fields) }
}

export function own(row: Row, name: string): Value {
  return Object.hasOwn(row, name) ? row[name] : undefined
}

function mapDraft(field: Field, value: Value): MapOf {
  const rest = field.rest as Field
  const entries = isRow(value) ? Object.entries(value) : []
  return { entries: entries.map(([name, it]) => ({ key: newKey(), name, draft: toDraft(rest, it) })) }
}

function switchDraft(field: Field, value: Value): Switched {
  const chosen = variantOf(field, value)
  const variant = field.variants?.[chosen]
  return { chosen, draft: variant ? toDraft(variant.field, value) : null }
}

/** Which variant a value is: by the switching property, else the first whose required properties are all there. */
export function variantOf(field: Field, value: Value): number {
  const variants = field.variants ?? []
  if (value === undefined || value === null) return -1
  if (field.switch && isRow(value)) {
    const name = field.switch
    return variants.findIndex((it) => it.value !== undefined && it.value === plain(value[name]))
  }
  return variants.findIndex(({ field: it }) => fits(it, value))
}

function fits(field: Field, value: Value): boolean {
  if (field.choices?.length) return field.choices.some((choice) => same(choice.value, value))
  switch (field.type) {
    case 'object':
      return isRow(value) && (field.fields ?? []).every((it) => !it.required || Object.hasOwn(value, it.name ?? ''))
    case 'array':
      return Array.isArray(value)
    case 'integer':
    case 'number':
      return isNumber(value)
    case 'any':
      return true
    default:
      return typeof value === field.type
  }
}

/** A moment as a datetime-local input wants it, in the browser's time zone; seconds only where there are any. */
export function localTime(text: string): string {
  const moment = new Date(text)
  if (text === '' || Number.isNaN(moment.getTime())) return ''
  const two = (n: number) => String(n).padStart(2, '0')
  const day = `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`
  const clock = `${two(moment.getHours())}:${two(moment.getMinutes())}`
  return `${day}T${clock}${moment.getSeconds() ? `:${two(moment.getSeconds())}` : ''}`
}
