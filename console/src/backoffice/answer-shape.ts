import { isRow } from './exact'
import { at } from './pointer'
import type { Answer, Field, Row, Value } from './types'

/** Whether an operation answers something to be kept as a file. */
export function isFile(answer: Answer | undefined): boolean {
  return Boolean(answer?.media) && !/[/+]json\b/i.test(answer?.media ?? '')
}

/** The field at a JSON pointer within a schema; undefined when the schema knows none there. */
export function fieldAt(schema: Field | undefined, pointer: string): Field | undefined {
  return pointer
    .split('/')
    .slice(1)
    .reduce<Field | undefined>((field, name) => field?.fields?.find((it) => it.name === name) ?? undefined, schema)
}

/** Rows for people: those where the document says they are, else the first list of objects there is. */
export function rowsIn(answer: Value, pointer: string | undefined): { rows: Row[]; pointer: string } | null {
  const listed = pointer === undefined ? undefined : at(answer, pointer)
  if (Array.isArray(listed)) return { rows: listed.filter(isRow), pointer: pointer ?? '' }
  if (Array.isArray(answer) && answer.some(isRow)) return { rows: answer.filter(isRow), pointer: '' }
  return null
}

/** The fields of rows: as the schema has them, else what is in the rows. */
export function fieldsOfRows(schema: Field | undefined, rows: Row[]): Field[] {
  const known = schema?.items?.fields
  if (known?.length) return known.filter((it) => it.type !== 'object' && it.type !== 'array')
  const names = [...new Set(rows.slice(0, 50).flatMap((row) => Object.keys(row)))]
  return names.map((name) => ({ name, title: name, type: typeof rows[0]?.[name] === 'number' ? 'number' : 'string' }))
}
