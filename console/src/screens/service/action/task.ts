import { idsOf, type Names, pathNames } from '../../../backoffice/address'
import { titleOf } from '../../../backoffice/show'
import type { Many, Operation, Resource, Row } from '../../../backoffice/types'

/** One row that something is done to. */
export interface Target {
  key: string
  row: Row
  names: Names
  title: string
}

/** What a dialog is opened for: one operation, on nothing in particular, on one row or on many. */
export interface Task {
  operation: Operation
  resource: Resource | null
  names: Names
  target: Target | null
  /** Rows that it is run over, one after another or, with `many`, in one call. */
  targets?: Target[]
  /** Fetches all the rows there are, instead of those of `targets`. */
  all?: (found: (count: number) => void, signal: AbortSignal) => Promise<Target[]>
  many?: Many
}

/** The path parameters of an operation on a row. */
export function namesFor(resource: Resource, operation: Operation, row: Row, parent: string[]): Names {
  const ids = idsOf(resource, operation, row, parent)
  return Object.fromEntries(pathNames(operation.path).map((name, i) => [name, ids[i] ?? '']))
}

/** The path parameters of an operation on a list, or on the record that it lies below. */
export function namesOfParent(operation: Operation, ids: string[]): Names {
  return Object.fromEntries(pathNames(operation.path).map((name, i) => [name, ids[i] ?? '']))
}

export function targetOf(resource: Resource, operation: Operation, row: Row, parent: string[]): Target {
  const names = namesFor(resource, operation, row, parent)
  return { key: Object.values(names).join('/'), row, names, title: titleOf(resource, row) }
}

export function rowTask(resource: Resource, operation: Operation, row: Row, parent: string[]): Task {
  const target = targetOf(resource, operation, row, parent)
  return { operation, resource, names: target.names, target }
}

export function listTask(resource: Resource, operation: Operation, parent: string[]): Task {
  return { operation, resource, names: namesOfParent(operation, parent), target: null }
}
