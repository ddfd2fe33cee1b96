import { property } from './pointer'
import type { Field, Operation, Resource, Row, Value } from './types'

/** Values of path parameters by their names. */
export type Names = Record<string, string>

/** The names between braces in a path, in its order: "/shops/{shop}/products/{id}:hide" → shop, id. */
export function pathNames(path: string): string[] {
  return [...path.matchAll(/\{([^{}]+)\}/g)].map(([, name]) => name as string)
}

/**
 * A path with its parameters filled in, percent-encoded. Names of operations on one record may differ ("/shops/{id}",
 * "/shops/{shop_id}/close"); then the place in the path counts. Null when one is missing.
 */
export function fillPath(path: string, names: Names, inOrder: string[] = Object.values(names)): string | null {
  let place = 0
  let complete = true
  const filled = path.replace(/\{([^{}]+)\}/g, (_, name: string) => {
    const value = Object.hasOwn(names, name) ? names[name] : inOrder[place]
    place++
    // A dot segment would be resolved by the browser, and lead to another operation.
    if (value === undefined || value === '' || /^\.{1,2}$/.test(value)) complete = false
    return encodeURIComponent(value ?? '')
  })
  return complete ? filled : null
}

/** What a text in an address is made of: ids may be numbers of any length. */
export function idText(value: Value): string {
  return value === null || value === undefined || typeof value === 'object' ? '' : String(value)
}

/** The ids of a row's page, in the order of its path; empty when it has none. `parent` are those of what it lies in. */
export function idsOf(resource: Resource, operation: Operation | undefined, row: Row, parent: string[] = []): string[] {
  if (!operation) return resource.id ? [...parent, idText(property(row, resource.id))] : []
  const ids = pathNames(operation.path).map((name, i, all) => {
    const named = resource.keys?.[name]
    const value = named ? property(row, named) : undefined
    if (value !== undefined) return idText(value)
    if (i < parent.length && i < all.length - 1) return parent[i] as string
    return resource.id ? idText(property(row, resource.id)) : ''
  })
  return ids.every(Boolean) ? ids : []
}

/** The query of a call: arrays repeated or joined as the parameter wants it, nothing for what is empty. */
export function queryText(parameters: (Field & { in?: string; explode?: boolean })[], values: Row): string {
  const query = new URLSearchParams()
  for (const parameter of parameters) {
    const value = values[parameter.name ?? '']
    if (parameter.in !== 'query' || value === undefined || value === null || value === '') continue
    if (!Array.isArray(value)) query.append(parameter.name ?? '', String(value))
    else if (parameter.explode) for (const one of value) query.append(parameter.name ?? '', String(one))
    else if (value.length > 0) query.append(parameter.name ?? '', value.join(','))
  }
  return query.size ? `?${query}` : ''
}

/** The headers of a call that its document asks for; OpenAPI joins what is many by commas. */
export function headersOf(parameters: (Field & { in?: string })[], values: Row): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const { in: place, name = '' } of parameters) {
    const value = values[name]
    if (place !== 'header' || value === undefined || value === null || value === '') continue
    headers[name] = Array.isArray(value) ? value.join(',') : String(value)
  }
  return headers
}

/** Whether a value can travel in a header (RFC 9110 §5.5): browsers refuse anything else. */
export function isHeaderText(value: Value): boolean {
  return typeof value !== 'string' || /^[\x20-\x7e\t]*$/.test(value)
}

/** The console's address of a record. */
export function recordPath(service: string, resource: string, ids: string[]): string {
  return `${listPath(service, resource)}/${ids.map(encodeURIComponent).join('/')}`
}

export function listPath(service: string, resource: string): string {
  return `/s/${encodeURIComponent(service)}/${encodeURIComponent(resource)}`
}
