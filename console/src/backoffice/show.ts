import { isNumber, isRow, same, writeExact } from './exact'
import { numberFormat, timeFormat } from './formats'
import { property, steps } from './pointer'
import type { Choice, Field, Resource, Row, Service, Value } from './types'

/** What masks a sensitive value. */
export const mask = '••••'

const dateOnly = /^\d{4}-\d{2}-\d{2}$/

/** Name and argument of an x-admin format: "money:currency" → money, currency. */
export function formatOf(field: Field): { name: string; argument: string } {
  const [name = '', argument = ''] = (field.format ?? '').split(':')
  return { name, argument }
}

export function choiceOf(field: Field, value: Value): Choice | undefined {
  return field.choices?.find((choice) => same(choice.value, value))
}

function bytes(count: number, language: string): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, Math.abs(count))) / 3))
  const format = { style: 'unit', unit: units[step], unitDisplay: 'short', maximumFractionDigits: 1 } as const
  return numberFormat(language, format as Intl.NumberFormatOptions).format(count / 1000 ** step)
}

function seconds(count: number, language: string): string {
  const steps = [
    [86_400, 'day'],
    [3600, 'hour'],
    [60, 'minute'],
    [1, 'second'],
  ] as const
  const [length, unit] = steps.find(([size]) => Math.abs(count) >= size) ?? ([1, 'second'] as const)
  const format = { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits: 1 } as const
  return numberFormat(language, format).format(count / length)
}

/** An amount with its currency; one that is no currency code stands as it is. `digits` shifts cents into units. */
export function money(value: Value, currency: string, language: string, cents = false): string {
  const code = /^[A-Za-z]{3}$/.test(currency) ? currency.toUpperCase() : ''
  const format = numberFormat(language, code ? { style: 'currency', currency: code } : {})
  if (!cents) return format.format(numeric(value) as never)
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2
  return format.format(Number(value) / 10 ** digits)
}

// Intl reads integers of any length, from a bigint or a text.
function numeric(value: Value): number | bigint | string {
  return typeof value === 'number' || typeof value === 'bigint' ? value : String(value)
}

// 5 is 5 %: so it stands in the names of properties, and in most APIs.
function percent(points: number, language: string): string {
  return numberFormat(language, { style: 'percent', maximumFractionDigits: 2 }).format(points / 100)
}

/** A number in words of the language; an id is never grouped, so it can be compared with what stands elsewhere. */
function numberText(field: Field, value: Value, row: Row, language: string): string {
  const { name, argument } = formatOf(field)
  if (name === 'money') return money(value, String(row[argument] ?? argument), language)
  if (name === 'cents') return money(value, String(row[argument] ?? argument), language, true)
  if (name === 'bytes') return bytes(Number(value), language)
  if (name === 'seconds') return seconds(Number(value), language)
  if (name === 'unix') return timeText(new Date(1000 * Number(value)), name, language) ?? String(value)
  if (name === 'percent') return percent(Number(value), language)
  if (isIdentifier(field)) return String(value)
  return numberFormat(language, { maximumFractionDigits: 20 }).format(numeric(value) as never)
}

export function isIdentifier(field: Field): boolean {
  const name = field.name ?? ''
  return Boolean(field.ref) || /(^|_)(id|no|number|code|year)$|(Id|No|Number|Code)$/.test(name)
}

/** A moment or a day in the page's language; null when the text is none. */
export function timeText(text: string | Date, format: string, language: string): string | null {
  if (typeof text === 'string' && (format === 'date' || dateOnly.test(text))) {
    const day = new Date(`${text.slice(0, 10)}T00:00:00Z`)
    return Number.isNaN(day.getTime())
      ? null
      : timeFormat(language, { dateStyle: 'medium', timeZone: 'UTC' }).format(day)
  }
  const moment = new Date(text)
  return Number.isNaN(moment.getTime())
    ? null
    : timeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(moment)
}

export interface Words {
  language: string
  yes: string
  no: string
  /** "3 items" */
  count: (n: number) => string
}

/** One value in one line, for people; "" when there is none. */
export function textOf(field: Field, value: Value, words: Words, row: Row = {}): string {
  if (value === null || value === undefined || value === '') return ''
  const choice = choiceOf(field, value)
  if (choice) return choice.title
  if (typeof value === 'boolean') return value ? words.yes : words.no
  if (isNumber(value)) return numberText(field, value, row, words.language)
  if (Array.isArray(value)) return listText(field, value, words)
  if (isRow(value)) return objectText(field, value, words)
  return stringText(field, String(value), words, row)
}

function stringText(field: Field, text: string, words: Words, row: Row): string {
  const { name } = formatOf(field)
  if (name === 'date' || name === 'date-time') return timeText(text, name, words.language) ?? text
  // Some services write amounts as texts, to keep their digits.
  if (/^(money|cents|bytes|seconds|percent)$/.test(name) && /^-?\d+(\.\d+)?$/.test(text))
    return numberText(field, text, row, words.language)
  return text
}

function listText(field: Field, list: Value[], words: Words): string {
  const scalars = list.every((it) => !isRow(it) && !Array.isArray(it))
  if (!scalars || list.length > 5) return words.count(list.length)
  return list.map((it) => textOf(field.items ?? field, it, words)).join(', ')
}

function objectText(field: Field, value: Row, words: Words): string {
  const named = titleOf({ row: field }, value)
  return named || words.count(Object.keys(value).length)
}

const titles = ['name', 'title', 'label', 'email', 'subject', 'slug', 'number', 'code']

/** What a record is called: by its resource's display, else by the first property that names things, else its id. */
export function titleOf(resource: Pick<Resource, 'row'> & Partial<Resource>, row: Row): string {
  if (resource.display) {
    const fields = resource.row.fields
    const text = resource.display.replace(/\{([^{}]+)\}/g, (_, name: string) =>
      wordOf(fieldOf(fields, name), property(row, name)),
    )
    if (text.trim()) return text.trim()
  }
  const named = titles.find((name) => plain(row[name]) !== '')
  if (named) return plain(row[named])
  return resource.id ? plain(property(row, resource.id)) : ''
}

/** A value within a title: of a choice its label. */
function wordOf(field: Field | undefined, value: Value): string {
  return (field && choiceOf(field, value)?.title) || plain(value)
}

function plain(value: Value): string {
  return value === null || value === undefined || typeof value === 'object' ? '' : String(value)
}

export function fieldOf(fields: Field[] | undefined, name: string): Field | undefined {
  return fields?.find((field) => field.name === name)
}

/** The field that a column's name means, under that name: "status", or "/metadata/name" further in. */
function columnField(row: Field, name: string): Field | undefined {
  const [path = ''] = name.split('#')
  const way = path.startsWith('/') ? steps(path) : [path]
  const found = way.reduce<Field | undefined>((field, step) => fieldOf(field?.fields, step), row)
  return found && { ...found, name }
}

/** The columns of a list: those that the address names, else the resource's own. */
export function columnsOf(resource: Resource, wanted: string | undefined): Field[] {
  const names = wanted ? wanted.split(',') : resource.columns
  const shown = names.map((name) => columnField(resource.row, name)).filter((it) => it !== undefined)
  return shown.length > 0 || !wanted ? shown : columnsOf(resource, undefined)
}

/** Every property that may be a column. */
export function columnChoices(resource: Resource): Field[] {
  const plainly = (resource.row.fields ?? []).filter((field) => !field.write_only && field.format !== 'password')
  const further = resource.columns
    .filter((name) => !fieldOf(plainly, name))
    .map((name) => columnField(resource.row, name))
  return [...further.filter((it) => it !== undefined), ...plainly]
}

export function jsonText(value: Value): string {
  return writeExact(value, 2)
}

export function operationOf(service: Service, id: string | undefined) {
  return id ? service.operations.find((operation) => operation.id === id) : undefined
}

export function resourceOf(service: Service, key: string | undefined) {
  return service.resources.find((resource) => resource.key === key)
}

/** An address that may be followed: http and https alone, so that no script hides in it. */
export function safeLink(text: string): string | null {
  if (!URL.canParse(text)) return null
  return /^https?:$/.test(new URL(text).protocol) ? text : null
}

/** The address of an image that may be shown: https alone. */
export function safeImage(text: string): string | null {
  return URL.canParse(text) && new URL(text).protocol === 'https:' ? text : null
}
