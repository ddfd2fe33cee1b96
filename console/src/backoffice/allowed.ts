import { same } from './exact'
import type { Operation, Refused, Resource, Row, Value } from './types'

/** Why an operation cannot be run now; null = it can. `state` names the fields whose values stand in the way. */
export type WhyNot =
  | { kind: 'roles'; roles: string[] }
  | { kind: 'waiting' }
  | { kind: 'code'; code: string }
  | { kind: 'state'; field: string; wanted: Value[] }
  | { kind: 'row' }

function ofPerson(refused: Refused | undefined): WhyNot | null {
  if (!refused) return null
  if (refused.code === 'role_missing') return { kind: 'roles', roles: refused.roles ?? [] }
  return refused.code === 'operation_not_granted' ? { kind: 'waiting' } : { kind: 'code', code: refused.code }
}

function ofRow(operation: Operation, resource: Resource | null, row: Row): WhyNot | null {
  for (const [field, wanted] of Object.entries(operation.when ?? {})) {
    if (!wanted.some((value) => same(value, row[field]))) return { kind: 'state', field, wanted }
  }
  const allowed = resource?.allow ? row[resource.allow] : undefined
  return Array.isArray(allowed) && !allowed.includes(operation.id) ? { kind: 'row' } : null
}

/** The first thing that stands in the way: the person's roles, then the row's state. The service checks it again. */
export function whyNot(
  operation: Operation,
  refused: Record<string, Refused>,
  resource: Resource | null = null,
  row: Row | null = null,
): WhyNot | null {
  const own = Object.hasOwn(refused, operation.id) ? refused[operation.id] : undefined
  return ofPerson(own) ?? (row ? ofRow(operation, resource, row) : null)
}
