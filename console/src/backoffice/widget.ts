import { formatOf } from './show'
import type { Field } from './types'

/** How a value is entered. */
export type Widget =
  | 'text'
  | 'area'
  | 'number'
  | 'money'
  | 'boolean'
  | 'choice'
  | 'choices'
  | 'date'
  | 'datetime'
  | 'time'
  | 'password'
  | 'color'
  | 'reference'
  | 'tags'
  | 'group'
  | 'list'
  | 'map'
  | 'switch'
  | 'file'
  | 'json'

const longNames = /^(description|note|notes|memo|body|content|message|comment|summary|bio|intro(duction)?|greeting)$/i
const longText = 200

/** What a field looks like in a form. What cannot be anything better is edited as JSON. */
export function widgetOf(field: Field): Widget {
  if (field.again) return 'json'
  if (field.variants?.length) return 'switch'
  if (field.media || field.format === 'binary') return 'file'
  if (field.choices?.length) return 'choice'
  switch (field.type) {
    case 'boolean':
      return 'boolean'
    case 'integer':
    case 'number':
      return ofNumber(field)
    case 'string':
      return ofString(field)
    case 'array':
      return ofArray(field)
    case 'object':
      return field.fields?.length ? 'group' : field.rest ? 'map' : 'json'
    default:
      return 'json'
  }
}

function ofNumber(field: Field): Widget {
  if (field.ref) return 'reference'
  return formatOf(field).name === 'money' ? 'money' : 'number'
}

function ofString(field: Field): Widget {
  if (field.ref) return 'reference'
  const byFormat: Record<string, Widget> = {
    date: 'date',
    'date-time': 'datetime',
    time: 'time',
    password: 'password',
    color: 'color',
    json: 'json',
    markdown: 'area',
  }
  const known = byFormat[formatOf(field).name]
  if (known) return known
  return (field.max_length ?? 0) > longText || longNames.test(field.name ?? '') ? 'area' : 'text'
}

function ofArray(field: Field): Widget {
  const { items } = field
  if (!items) return 'json'
  if (items.choices?.length) return 'choices'
  if (items.media || items.format === 'binary') return 'file'
  const scalar = items.type === 'string' || items.type === 'integer' || items.type === 'number'
  if (scalar && !items.variants?.length) return 'tags'
  return items.type === 'object' ? 'list' : 'json'
}

/** The fields of an object that a form asks for: what is read only, and the property that a switch sets, are not. */
export function asked(field: Field, switchName?: string): Field[] {
  return (field.fields ?? []).filter((it) => !it.read_only && it.name !== switchName)
}

/** The kind of input of a line of text. */
export function inputType(field: Field): string {
  const types: Record<string, string> = { email: 'email', uri: 'url', url: 'url', phone: 'tel' }
  return types[field.format ?? ''] ?? 'text'
}
