import { isRow } from './exact'
import type { Value } from './types'

/** The value at a JSON pointer (RFC 6901); undefined when there is none. "" is the whole. */
export function at(value: Value, pointer: string): Value {
  return steps(pointer).reduce<Value>((here, step) => {
    if (Array.isArray(here)) return here[Number(step)]
    return isRow(here) && Object.hasOwn(here, step) ? here[step] : undefined
  }, value)
}

/** The names on the way that a pointer describes. */
export function steps(pointer: string): string[] {
  if (pointer === '') return []
  return pointer
    .replace(/^#?\/?/, '')
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** The pointer of a property or an element below another pointer. */
export function below(pointer: string, name: string | number): string {
  return `${pointer}/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`
}

/**
 * A property of a row by the name that screens give it: "status", "/metadata/name" for one further in, and "name#last"
 * for what comes after the last slash ("shops/12" → 12).
 */
export function property(row: Value, name: string): Value {
  const [path = '', part] = name.split('#')
  const value = path.startsWith('/') ? at(row, path) : at(row, below('', path))
  return part === 'last' && typeof value === 'string' ? value.slice(value.lastIndexOf('/') + 1) : value
}
