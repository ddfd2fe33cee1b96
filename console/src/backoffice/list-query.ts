import { queryText } from './address'
import { first, nextParam, pageParam, sizeOf } from './paging'
import type { Filter, Operation, Resource, SortChoice } from './types'

/** A list's filters, order and page, by the names of the service's own parameters: what stands in the address. */
export type Query = Record<string, string | string[]>

/** The parameter of ours that names the columns shown; no service's begins like that. */
export const columnsParam = '_columns'

type Raw = Record<string, unknown>

/** The parameters that a list's address may hold. */
export function namesOf(resource: Resource): Set<string> {
  const { paging, sort, search, filters = [] } = resource
  const of = (filter: Filter) => [filter.param, filter.from, filter.to]
  const all = [
    pageParam(paging),
    paging.size,
    sort?.param,
    sort?.direction,
    search,
    ...filters.flatMap(of),
    columnsParam,
  ]
  return new Set(all.filter((name): name is string => Boolean(name)))
}

/** What of an address's query is about this list. */
export function readQuery(resource: Resource, query: Raw): Query {
  const known = namesOf(resource)
  const read: Query = {}
  for (const [name, value] of Object.entries(query)) {
    if (!known.has(name)) continue
    const values = (Array.isArray(value) ? value : [value]).filter(
      (it): it is string => typeof it === 'string' && it !== '',
    )
    if (values.length > 0) read[name] = values.length === 1 ? (values[0] as string) : values
  }
  return read
}

/** The address's query with this list's part replaced; whatever else is in it (a tab) stays. */
export function writeQuery(resource: Resource, before: Raw, query: Query): Raw {
  const known = namesOf(resource)
  const others = Object.entries(before).filter(([name]) => !known.has(name))
  const mine = Object.entries(query).filter(([, value]) => value.length > 0)
  return Object.fromEntries([...others, ...mine])
}

export function one(query: Query, name: string | undefined): string | undefined {
  const value = name ? query[name] : undefined
  return Array.isArray(value) ? value[0] : value
}

/** Another filter, order or size begins at the first page. */
export function withParam(resource: Resource, query: Query, changes: Record<string, string | string[] | null>): Query {
  const { [pageParam(resource.paging) ?? '']: _page, ...rest } = query
  const next: Query = { ...rest }
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value.length === 0) delete next[name]
    else next[name] = value
  }
  return next
}

export function withPage(resource: Resource, query: Query, page: string): Query {
  const { [pageParam(resource.paging) ?? '']: _page, ...rest } = query
  const name = pageParam(resource.paging)
  return page === '' || !name ? rest : { ...rest, [name]: page }
}

/** Whether anything narrows the list down. */
export function isNarrowed(resource: Resource, query: Query): boolean {
  return narrowing(resource).some((name) => query[name] !== undefined)
}

export function narrowing(resource: Resource): string[] {
  const filters = (resource.filters ?? []).flatMap((filter) => [filter.param, filter.from, filter.to])
  return [resource.search, ...filters].filter((name): name is string => Boolean(name))
}

/** The query of the call for a page: only what the operation knows, with the number of rows said wherever it can be. */
export function callQuery(resource: Resource, list: Operation, query: Query): string {
  const { [columnsParam]: _columns, [nextParam]: whole, ...values } = query
  if (typeof whole === 'string') return `?${new URLSearchParams(whole)}`
  const { paging } = resource
  const sized = paging.size ? { [paging.size]: String(sizeOf(paging, one(query, paging.size))) } : {}
  const start = paging.style === 'page' && paging.param ? { [paging.param]: String(first(paging)) } : {}
  return queryText(list.parameters ?? [], { ...start, ...values, ...sized })
}

/** How a list is sorted: by which column, and downwards or not. */
export interface Order {
  column: string
  down: boolean
}

/** The order that the address asks for. */
export function orderOf(resource: Resource, query: Query): Order | null {
  const value = one(query, resource.sort?.param)
  if (!value || !resource.sort) return null
  switch (resource.sort.style) {
    case 'minus':
      return { column: value.replace(/^-/, ''), down: value.startsWith('-') }
    case 'comma':
    case 'word':
      return { column: value.split(/[\s:,]/)[0] ?? '', down: /\bdesc\b/i.test(value) }
    case 'plain':
      return { column: value, down: /^desc/i.test(one(query, resource.sort.direction) ?? '') }
    default: {
      const choice = resource.sort.by?.find((it) => it.value === value)
      return choice?.column ? { column: choice.column, down: isDown(choice) } : null
    }
  }
}

function isDown({ value }: SortChoice): boolean {
  return value.startsWith('-') || /(^|[\s:_-])desc(ending)?$/i.test(value)
}

/** Whether a column's heading sorts. */
export function canSort(resource: Resource, column: string): boolean {
  const { sort } = resource
  if (!sort) return false
  if (sort.style !== 'values' && !sort.by?.length) return true
  return sort.by?.some((it) => (it.column ?? it.value.replace(/^-/, '')) === column) ?? false
}

/** What the next press of a column's heading asks for: up, down, and back to the service's own order. */
export function nextSort(resource: Resource, query: Query, column: string): Record<string, string | null> {
  const { sort } = resource
  if (!sort) return {}
  const order = orderOf(resource, query)
  const step = order?.column === column ? (order.down ? 'off' : 'down') : 'up'
  if (sort.style === 'values') return { [sort.param]: nextOfValues(resource, query, column) }
  if (sort.style === 'plain') return plainSort(resource, step, column)
  const down = { minus: `-${column}`, word: `${column} desc`, comma: `${column},desc` }[sort.style]
  return { [sort.param]: step === 'off' ? null : step === 'down' ? down : column }
}

function nextOfValues({ sort }: Resource, query: Query, column: string): string | null {
  const mine = (sort?.by ?? []).filter((it) => it.column === column)
  const place = mine.findIndex((it) => it.value === one(query, sort?.param))
  return mine[place + 1]?.value ?? null
}

// With a parameter of its own for the direction; without one there is only up.
function plainSort({ sort }: Resource, step: string, column: string): Record<string, string | null> {
  const { param = '', direction } = sort ?? {}
  if (!direction) return { [param]: step === 'up' ? column : null }
  if (step === 'off') return { [param]: null, [direction]: null }
  return { [param]: column, [direction]: step === 'down' ? 'desc' : 'asc' }
}
