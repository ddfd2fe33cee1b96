import { isRow, same } from './exact'
import { below } from './pointer'
import { mask } from './show'
import type { Field, Operation, Row, Value } from './types'

/** What an update sends: of PATCH only what has changed, of PUT all of it. Masked values are never sent back. */
export function changeOf(operation: Operation, before: Row, after: Row): Row {
  if (operation.method !== 'PATCH') return withoutMasks(after)
  if (operation.body?.media.includes('merge-patch')) return mergePatch(before, after)
  return Object.fromEntries(
    Object.entries(after).filter(([name, value]) => !same(value, before[name]) && value !== mask),
  )
}

function withoutMasks(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== mask))
}

/** RFC 7396: what is gone becomes null. Properties that the form left alone are in both, and so not in the patch. */
export function mergePatch(before: Row, after: Row): Row {
  const patch: Row = {}
  for (const [name, value] of Object.entries(after)) {
    const old = before[name]
    if (same(old, value) || value === mask) continue
    patch[name] = isRow(old) && isRow(value) ? withRemovals(old, value) : value
  }
  return patch
}

function withRemovals(before: Row, after: Row): Row {
  const gone = Object.keys(before).filter((name) => !Object.hasOwn(after, name))
  return { ...Object.fromEntries(gone.map((name) => [name, null])), ...mergePatch(before, after) }
}

/** One value that is not the same in two states of a record. */
export interface Difference {
  pointer: string
  field: Field
  /** As the form began. */
  before: Value
  theirs: Value
  mine: Value
  /** Both changed it, to different things: one has to choose. */
  clash: boolean
}

/** What somebody else changed meanwhile, and what of that I changed as well. */
export function differences(fields: Field[], before: Row, theirs: Row, mine: Row): Difference[] {
  const found: Difference[] = []
  for (const field of fields) {
    const name = field.name ?? ''
    const [was, now, wish] = [before[name], theirs[name], mine[name]]
    if (same(was, now)) continue
    const clash = wish !== undefined && !same(wish, was) && !same(wish, now)
    found.push({ pointer: below('', name), field, before: was, theirs: now, mine: wish, clash })
  }
  return found
}

/** My changes put onto what somebody else has made of the record: theirs where I did not touch it, or chose theirs. */
export function rebase(before: Row, theirs: Row, mine: Row, takeTheirs: ReadonlySet<string>): Row {
  const result: Row = { ...theirs }
  for (const [name, value] of Object.entries(mine)) {
    if (!same(value, before[name]) && !takeTheirs.has(below('', name))) result[name] = value
  }
  return result
}
