import { callQuery, one, withPage } from '../../../backoffice/list-query'
import { pageParam, sizeOf } from '../../../backoffice/paging'
import type { Operation, Resource, Row } from '../../../backoffice/types'
import type { ListState } from './use-list'

/** More rows than this are no work for a browser; whoever needs it narrows the list down, or asks for an operation. */
export const mostRows = 10_000

/** Every row that matches, page after page, as large as the service gives them. */
export async function allRows(
  resource: Resource,
  list: ListState,
  found: (count: number) => void,
  signal: AbortSignal,
): Promise<Row[]> {
  const { paging } = resource
  const operation = list.list.value as Operation
  const large = paging.size ? { [paging.size]: String(sizeOf(paging, String(paging.size_most ?? 100))) } : {}
  const rows: Row[] = []
  let query = withPage(resource, { ...list.query.value, ...large }, '')
  for (;;) {
    const page = await list.fetchPage(callQuery(resource, operation, query), one(query, pageParam(paging)), signal)
    rows.push(...page.rows)
    found(rows.length)
    if (page.next === null || page.rows.length === 0 || rows.length >= mostRows) return rows.slice(0, mostRows)
    query = withPage(resource, query, page.next)
  }
}
