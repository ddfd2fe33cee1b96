import { isRow } from './exact'
import { ServiceError } from './trouble'
import type { Row, Value } from './types'

/**
 * What an operation on many rows says of each: an error for those that failed, nothing for the others. It is found in
 * any list of objects that bear the ids that were sent, or in a list of failures alone.
 */
export function outcomesOf(answer: Value, keys: string[]): Map<string, ServiceError> {
  const failed = new Map<string, ServiceError>()
  for (const row of reports(answer, new Set(keys))) {
    const key = keyOf(row, new Set(keys))
    const error = key === null ? null : failureOf(row)
    if (key !== null && error) failed.set(key, error)
  }
  return failed
}

function reports(answer: Value, keys: Set<string>): Row[] {
  if (Array.isArray(answer)) return answer.filter(isRow).filter((row) => keyOf(row, keys) !== null)
  if (!isRow(answer)) return []
  return Object.entries(answer).flatMap(([name, value]) => {
    const rows = reports(value, keys)
    // Within a list of failures each one is a failure, also without a status of its own.
    return /fail|error|problem|refused|conflict/i.test(name) ? rows.map((row): Row => ({ failed: true, ...row })) : rows
  })
}

// A status may look like an id: what is called one comes first.
function keyOf(row: Row, keys: Set<string>): string | null {
  const scalars = Object.entries(row).filter(([, value]) => value !== null && typeof value !== 'object')
  const named = scalars.filter(([name]) => /id$/i.test(name))
  const found = [...named, ...scalars].find(([, value]) => keys.has(String(value)))
  return found ? String(found[1]) : null
}

function failureOf(row: Row): ServiceError | null {
  const nested = isRow(row.error) ? row.error : isRow(row.problem) ? row.problem : {}
  const said = [row.detail, row.message, row.reason, row.error, nested.detail, nested.message, nested.title].find(
    (it) => typeof it === 'string' && it !== '',
  )
  const status = Number(row.status ?? row.code ?? nested.status)
  const bad =
    row.failed === true ||
    status >= 400 ||
    row.ok === false ||
    row.success === false ||
    isRow(row.error) ||
    (typeof row.error === 'string' && row.error !== '') ||
    (typeof row.status === 'string' && /fail|error|refused|conflict/i.test(row.status))
  if (!bad) return null
  return new ServiceError({ code: `status_${status || 409}`, status: status || 409, words: String(said ?? '') })
}
