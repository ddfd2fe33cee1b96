import { isRow } from './exact'
import { at, property, steps } from './pointer'
import type { Paging, Resource, Row, Value } from './types'

/** A page of a list as it was answered. */
export interface Page {
  rows: Row[]
  /** What the paging parameter has to be for the next page; null = this is the last. */
  next: string | null
  /** null = unknown: it is never asked for. */
  total: number | null
}

/** The parameter of ours for the next page of a list that says where it is by a whole query. */
export const nextParam = '_next'

/** The name under which a page stands in the console's address. */
export function pageParam(paging: Paging): string | undefined {
  return paging.param || (paging.style === 'cursor' ? nextParam : undefined)
}

/** Rows a page: what the address says, else the service's own number, else 25. */
export function sizeOf(paging: Paging, asked: string | undefined): number {
  const most = paging.size_most || Number.POSITIVE_INFINITY
  const size = Number(asked) > 0 ? Math.floor(Number(asked)) : paging.size_usual || 25
  return Math.min(size, most)
}

/** The sizes to choose from; none when the service takes no size. */
export function sizesOf(paging: Paging): number[] {
  if (!paging.size) return []
  const most = paging.size_most || 100
  const usual = paging.size_usual || 25
  return [...new Set([10, 25, 50, 100, usual])].filter((size) => size <= most).sort((a, b) => a - b)
}

/** The record in the answer of a Get; null when there is none where the document says that it is. */
export function recordOf(resource: Pick<Resource, 'record_at' | 'each' | 'id'>, answer: Value): Row | null {
  const record = at(answer, resource.record_at ?? '')
  if (!isRow(record)) return null
  // The nodes of a list's edges stand alone where they have a page of their own.
  return resource.each === '/node' ? record : flat(resource, record)
}

/** The rows of an answer; null when there is no array where the document says that it is. */
export function rowsOf(resource: Pick<Resource, 'rows' | 'each' | 'id'>, answer: Value): Row[] | null {
  const list = at(answer, resource.rows)
  if (!Array.isArray(list)) return null
  return list.filter(isRow).map((element) => flat(resource, element))
}

/** A row's properties, where elements wrap them (JSON:API's attributes), with the element's own beside them. */
export function flat(resource: Pick<Resource, 'each' | 'id'>, element: Row): Row {
  if (!resource.each) return element
  const inner = at(element, resource.each)
  if (!isRow(inner)) return element
  const { [steps(resource.each)[0] ?? '']: _wrapped, ...own } = element
  return { ...own, ...inner }
}

function totalOf(paging: Paging, answer: Value, headers: Headers): number | null {
  if (!paging.total) return null
  const header = /^header:(.+)$/.exec(paging.total)?.[1]
  const found = header ? headers.get(header) : at(answer, paging.total)
  const total = found === null || found === undefined || found === '' ? Number.NaN : Number(found)
  return Number.isSafeInteger(total) && total >= 0 ? total : null
}

/** Reads a page. `asked` is the value of the paging parameter that it was fetched with. */
export function readPage(
  resource: Pick<Resource, 'rows' | 'each' | 'id' | 'paging'>,
  answer: Value,
  headers: Headers,
  asked: string | undefined,
  size: number,
): Page | null {
  const rows = rowsOf(resource, answer)
  if (!rows) return null
  const { paging } = resource
  const total = totalOf(paging, answer, headers)
  return { rows, total, next: nextOf({ paging, answer, headers, asked, size, rows, total }) }
}

interface Here {
  paging: Paging
  answer: Value
  headers: Headers
  asked: string | undefined
  size: number
  rows: Row[]
  total: number | null
}

function nextOf(here: Here): string | null {
  switch (here.paging.style) {
    case 'page':
      return goesOn(here, (pageOf(here.paging, here.asked) - first(here.paging) + 1) * here.size)
        ? String(pageOf(here.paging, here.asked) + 1)
        : null
    case 'offset':
      return goesOn(here, offsetOf(here.asked) + here.rows.length)
        ? String(offsetOf(here.asked) + here.rows.length)
        : null
    case 'cursor':
      return here.paging.more && at(here.answer, here.paging.more) === false ? null : cursorOf(here)
    default:
      return null
  }
}

// Without a total and without a word on more, a full page is taken for one that has a successor.
function goesOn({ paging, answer, total, rows, size }: Here, seen: number): boolean {
  if (paging.more) return at(answer, paging.more) === true
  if (total !== null) return seen < total && rows.length > 0
  return rows.length >= size
}

function cursorOf({ paging, answer, headers, rows, size }: Here): string | null {
  const { next = '', param = '' } = paging
  if (next === 'link') return fromLink(headers.get('Link'), param)
  if (next.startsWith('last:')) {
    const last = property(rows.at(-1), next.slice('last:'.length))
    const full = paging.more ? at(answer, paging.more) === true : rows.length >= size
    return full && last !== undefined && last !== null ? String(last) : null
  }
  const found = at(answer, next)
  if (found === null || found === undefined || found === '') return null
  // Some give the whole address of the next page.
  return /[?&]/.test(String(found)) ? fromAddress(String(found), param) : String(found)
}

function fromLink(link: string | null, param: string): string | null {
  for (const part of link?.split(/,(?=\s*<)/) ?? []) {
    const [, address = '', rest = ''] = /<([^>]*)>(.*)/.exec(part) ?? []
    if (/;\s*rel="?(?:[^"]*\s)?next(?:\s[^"]*)?"?/i.test(rest)) return fromAddress(address, param)
  }
  return null
}

function fromAddress(address: string, param: string): string | null {
  if (!URL.canParse(address, 'http://x')) return null
  const { searchParams } = new URL(address, 'http://x')
  return param ? searchParams.get(param) : searchParams.toString() || null
}

export function first(paging: Paging): number {
  return paging.first ?? 0
}

export function pageOf(paging: Paging, asked: string | undefined): number {
  return asked !== undefined && /^\d+$/.test(asked) ? Number(asked) : first(paging)
}

export function offsetOf(asked: string | undefined): number {
  return asked !== undefined && /^\d+$/.test(asked) ? Number(asked) : 0
}

/** The paging parameter of the page before; "" = the first page, null = there is none, undefined = nobody knows. */
export function previousOf(paging: Paging, asked: string | undefined, size: number): string | null | undefined {
  if (!asked) return null
  if (paging.style === 'page') {
    const page = pageOf(paging, asked)
    return page <= first(paging) ? null : page - 1 <= first(paging) ? '' : String(page - 1)
  }
  if (paging.style === 'offset') {
    const offset = offsetOf(asked)
    return offset <= 0 ? null : offset - size <= 0 ? '' : String(offset - size)
  }
  return paging.style === 'cursor' ? undefined : null
}

/** The number of the first row of a page, from 1; null where only the service knows. */
export function startOf(paging: Paging, asked: string | undefined, size: number): number | null {
  if (!asked || paging.style === 'none') return 1
  if (paging.style === 'page') return (pageOf(paging, asked) - first(paging)) * size + 1
  return paging.style === 'offset' ? offsetOf(asked) + 1 : null
}
