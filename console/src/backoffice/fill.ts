import { type Draft, type Group, type List, type MapOf, own, type Switched, toDraft, variantOf } from './draft'
import { compare, isNumber, isRow, numberOf, parseExact, same } from './exact'
import { below } from './pointer'
import { mask } from './show'
import type { Field, Row, Value } from './types'
import { asked, widgetOf } from './widget'

/** What is wrong with one value, to be said in the page's language. */
export interface Wrong {
  code:
    | 'required'
    | 'number'
    | 'integer'
    | 'least'
    | 'most'
    | 'short'
    | 'long'
    | 'pattern'
    | 'few'
    | 'many'
    | 'json'
    | 'twice'
    | 'time'
  limit?: string
}

/** A form's value, and what is wrong with it by JSON pointer. undefined = nothing is to be sent for it. */
export interface Filled {
  value: Value
  wrongs: Record<string, Wrong>
}

/**
 * The JSON that a draft stands for. What was not touched becomes what it was, digit by digit and unknown properties
 * included, so that saving changes nothing else.
 */
export function fill(field: Field, draft: Draft, before: Value): Filled {
  const wrongs: Filled['wrongs'] = {}
  const value = fillAt({ field, draft, before, pointer: '', wrongs })
  return { value, wrongs }
}

interface Here {
  field: Field
  draft: Draft
  before: Value
  pointer: string
  wrongs: Filled['wrongs']
}

function fillAt(here: Here): Value {
  switch (widgetOf(here.field)) {
    case 'group':
      return fillGroup(here, (here.draft as Group).fields)
    case 'list':
      return fillList(here, (here.draft as List).items)
    case 'map':
      return fillMap(here, (here.draft as MapOf).entries)
    case 'switch':
      return fillSwitch(here, here.draft as Switched)
    default:
      return fillLeaf(here)
  }
}

function fillLeaf(here: Here): Value {
  const { field, draft, before } = here
  // Masked, it was never seen: it stays as it is.
  if (before === mask && draft === '') return undefined
  const touched = !same(draft, toDraft(field, before))
  if (!touched && before !== undefined && !isEmpty(before)) return before
  const value = leafValue(here)
  if (value === undefined) return emptied(here)
  check(here, value)
  return value
}

function isEmpty(value: Value): boolean {
  return value === null || value === ''
}

function leafValue({ field, draft, pointer, wrongs }: Here): Value {
  const wrong = (code: Wrong['code']): undefined => {
    wrongs[pointer] = { code }
  }
  if (draft === null || draft === '') return undefined
  if (Array.isArray(draft)) return draft.length ? listValue(field, draft, pointer, wrongs) : undefined
  if (typeof draft !== 'string') return draft
  switch (widgetOf(field)) {
    case 'choice':
    case 'json':
      return readJSON(draft) ?? wrong('json')
    case 'boolean':
      return draft === 'true'
    case 'datetime':
      return zoned(draft) ?? wrong('time')
    case 'number':
    case 'money':
      return numberIn(field, draft) ?? wrong('number')
    case 'reference':
      return field.type === 'string' ? draft : (numberIn(field, draft) ?? wrong('number'))
    default:
      return draft
  }
}

function listValue(field: Field, drafts: string[], pointer: string, wrongs: Filled['wrongs']): Value[] {
  const items = field.items as Field
  if (widgetOf(field) === 'choices') return drafts.map((it) => readJSON(it))
  return drafts.map((draft, i) =>
    fillAt({ field: items, draft, before: undefined, pointer: below(pointer, i), wrongs }),
  )
}

function readJSON(text: string): Value {
  try {
    return parseExact(text)
  } catch {
    return undefined
  }
}

// People write 1,000 where a page shows them so.
function numberIn(field: Field, text: string): Value {
  return (
    numberOf(/^[-+]?\d{1,3}(,\d{3})+(\.\d+)?$/.test(text.trim()) ? text.replaceAll(',', '') : text) ??
    (field.type === 'any' ? text : undefined)
  )
}

function zoned(local: string): string | undefined {
  const moment = new Date(local)
  return Number.isNaN(moment.getTime()) ? undefined : moment.toISOString().replace('.000Z', 'Z')
}

// Nothing is in the input: null where that may be said, the empty text where a text was emptied, else nothing is sent.
function emptied({ field, draft, before, pointer, wrongs }: Here): Value {
  if (wrongs[pointer]) return undefined
  const list = field.type === 'array'
  if (list && (field.required || before !== undefined)) {
    check({ field, draft, before, pointer, wrongs }, [])
    return []
  }
  if (before === undefined || isEmpty(before)) {
    if (before !== undefined) return before
    if (field.required && !field.nullable) wrongs[pointer] = { code: 'required' }
    return field.required && field.nullable ? null : undefined
  }
  if (field.nullable) return null
  if (field.required) {
    wrongs[pointer] = { code: 'required' }
    return undefined
  }
  return field.type === 'string' && !field.format && !field.choices ? '' : null
}

function check({ field, pointer, wrongs }: Here, value: Value): void {
  const wrong = isNumber(value)
    ? checkNumber(field, value)
    : typeof value === 'string'
      ? checkText(field, value)
      : Array.isArray(value)
        ? checkList(field, value)
        : null
  if (wrong) wrongs[pointer] ??= wrong
}

function checkNumber(field: Field, value: Value): Wrong | null {
  if (field.type === 'integer' && !/^-?\d+$/.test(String(value))) return { code: 'integer' }
  const { minimum, maximum } = field
  const least = minimum === undefined ? 1 : compare(value, minimum)
  if (least < 0 || (least === 0 && field.exclusive_minimum)) return { code: 'least', limit: String(minimum) }
  const most = maximum === undefined ? -1 : compare(value, maximum)
  if (most > 0 || (most === 0 && field.exclusive_maximum)) return { code: 'most', limit: String(maximum) }
  return null
}

function checkText(field: Field, value: string): Wrong | null {
  const length = [...value].length
  if (field.min_length !== undefined && length < field.min_length)
    return { code: 'short', limit: String(field.min_length) }
  if (field.max_length !== undefined && length > field.max_length)
    return { code: 'long', limit: String(field.max_length) }
  return field.pattern && !matches(field.pattern, value) ? { code: 'pattern' } : null
}

// A pattern of a service could take for ever on a long text, and the service checks it anyway.
function matches(pattern: string, value: string): boolean {
  if (value.length > 500 || pattern.length > 200 || /[+*}]\)?[+*{]|\([^)]*[+*][^)]*\)[+*{]/.test(pattern)) return true
  try {
    return new RegExp(pattern, 'u').test(value)
  } catch {
    return true
  }
}

function checkList(field: Field, value: Value[]): Wrong | null {
  if (field.min_items !== undefined && value.length < field.min_items)
    return { code: 'few', limit: String(field.min_items) }
  if (field.max_items !== undefined && value.length > field.max_items)
    return { code: 'many', limit: String(field.max_items) }
  return null
}

function fillGroup(here: Here, drafts: Record<string, Draft>, set: Row = {}, switchName?: string): Value {
  const { field, pointer } = here
  const before: Row = isRow(here.before) ? here.before : {}
  const inner: Filled['wrongs'] = {}
  const value: Row = { ...unknown(field, before), ...set }
  for (const it of asked(field, switchName)) {
    const name = it.name ?? ''
    const draft = drafts[name] ?? null
    const found = fillAt({ field: it, draft, before: own(before, name), pointer: below(pointer, name), wrongs: inner })
    if (found !== undefined) value[name] = found
  }
  // An optional object that nobody began to fill in asks for nothing.
  const begun = Object.keys(value).length > 0
  if (!begun && !field.required && pointer !== '') return here.before
  Object.assign(here.wrongs, inner)
  return value
}

// What the form does not know goes back as it came; what is read only does not.
function unknown(field: Field, before: Row): Row {
  const known = new Set((field.fields ?? []).map((it) => it.name))
  return Object.fromEntries(Object.entries(before).filter(([name]) => !known.has(name)))
}

function fillList(here: Here, items: List['items']): Value {
  const { field, pointer, wrongs } = here
  const before = Array.isArray(here.before) ? here.before : []
  if (items.length === 0 && here.before === undefined && !field.required) return undefined
  const value = items.map(({ draft }, i) =>
    fillAt({
      field: { ...(field.items as Field), required: true },
      draft,
      before: before[i],
      pointer: below(pointer, i),
      wrongs,
    }),
  )
  check(here, value)
  return value
}

function fillMap(here: Here, entries: MapOf['entries']): Value {
  const { field, pointer, wrongs } = here
  if (entries.length === 0 && here.before === undefined && !field.required) return undefined
  const before: Row = isRow(here.before) ? here.before : {}
  const value: Row = {}
  for (const { name, draft } of entries) {
    if (name === '') continue
    if (Object.hasOwn(value, name)) wrongs[pointer] = { code: 'twice', limit: name }
    const it = { ...(field.rest as Field), required: true }
    value[name] = fillAt({ field: it, draft, before: own(before, name), pointer: below(pointer, name), wrongs })
  }
  return value
}

function fillSwitch(here: Here, { chosen, draft }: Switched): Value {
  const { field, pointer, wrongs } = here
  const variant = field.variants?.[chosen]
  if (!variant) {
    if (field.required) wrongs[pointer] = { code: 'required' }
    return undefined
  }
  const before = variantOf(field, here.before) === chosen ? here.before : undefined
  const inner = { ...here, field: { ...variant.field, required: true }, draft, before }
  if (widgetOf(variant.field) !== 'group') return fillAt(inner)
  const set = field.switch && variant.value !== undefined ? { [field.switch]: variant.value } : {}
  return fillGroup(inner, (draft as Group).fields, set, field.switch)
}
