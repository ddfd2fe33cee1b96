import { isRow, same } from './exact'
import { below } from './pointer'
import { mask } from './show'
import { ServiceError } from './trouble'
import type { Field, Operation, Row, Value } from './types'

/**
 * What an update sends: of PATCH only what has changed, of PUT all of it. Masked values are never sent back; where
 * leaving them out would wipe them at the service, nothing may be sent at all: S_MASKED.
 */
export function changeOf(operation: Operation, before: Row, after: Row): Row {
  const body = changed(operation, before, veiled(operation.body?.schema, before, after) as Row)
  if (hasMask(body)) throw new ServiceError({ code: 'S_MASKED', byService: false })
  return body
}

function changed(operation: Operation, before: Row, after: Row): Row {
  if (operation.method !== 'PATCH') return after
  if (operation.body?.media.includes('merge-patch')) return mergePatch(before, after)
  return Object.fromEntries(Object.entries(after).filter(([name, value]) => !same(value, before[name])))
}

/** Whether an update replaces what is masked in the record, so that nobody can make it without seeing that. */
export function wouldWipe(operation: Operation, before: Row): boolean {
  return operation.method === 'PUT' && hasMask(veiled(operation.body?.schema, before, {}))
}

export function hasMask(value: Value): boolean {
  if (Array.isArray(value)) return value.some(hasMask)
  return isRow(value) ? Object.values(value).some(hasMask) : value === mask
}

// The form leaves out what is masked and was not typed anew: here it stands again in its place.
function veiled(field: Field | undefined, before: Value, after: Value): Value {
  if (before === mask) return after ?? mask
  if (Array.isArray(before) && Array.isArray(after))
    return after.map((it, i) => veiled(field?.items ?? undefined, before[i], it))
  if (!isRow(before) || !(isRow(after) || after === undefined)) return after
  if (!hasMask(before)) return after
  const result: Row = { ...after }
  for (const [name, value] of Object.entries(before)) {
    const inner = field?.fields?.find((it) => it.name === name)
    if (inner?.read_only || !hasMask(value)) continue
    result[name] = veiled(inner, value, result[name])
  }
  return result
}

/** RFC 7396: what is gone becomes null. Properties that the form left alone are in both, and so not in the patch. */
export function mergePatch(before: Row, after: Row): Row {
  const patch: Row = {}
  for (const [name, value] of Object.entries(after)) {
    const old = before[name]
    if (same(old, value)) continue
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
