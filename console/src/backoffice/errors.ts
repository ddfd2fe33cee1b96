import { isRow } from './exact'
import { below } from './pointer'
import { ServiceError } from './trouble'
import type { Value } from './types'

/** Sentences by JSON pointer: what is wrong with each value of a form. */
export type Wrongs = Record<string, string>

/**
 * What a service says is wrong with each field, in the shapes that frameworks have: RFC 9457's `errors[].pointer`,
 * `{errors: {field: […]}}` (Rails, Laravel, ASP.NET), FastAPI's `detail[].loc`.
 */
export function wrongsOf(error: unknown): Wrongs {
  if (!(error instanceof ServiceError) || !isRow(error.answer)) return {}
  const { errors, detail } = error.answer
  if (Array.isArray(errors)) return Object.assign({}, ...errors.map(fromListed))
  if (isRow(errors)) return fromFields(errors, '')
  return Array.isArray(detail) ? Object.assign({}, ...detail.map(fromLocation)) : {}
}

function sentence(value: Value): string {
  return typeof value === 'string' ? value : ''
}

function fromListed(one: Value): Wrongs {
  if (!isRow(one)) return {}
  const said = sentence(one.detail) || sentence(one.message) || sentence(one.title)
  const source = isRow(one.source) ? one.source : {}
  const pointer = one.pointer ?? source.pointer ?? (source.parameter ? `/${source.parameter}` : undefined)
  if (typeof pointer === 'string') return { [normal(pointer)]: said }
  // huma: "body.items[0].price"
  const place = one.location ?? one.field ?? one.path
  return typeof place === 'string' ? { [fromDots(place)]: said } : {}
}

function normal(pointer: string): string {
  const plain = pointer.replace(/^#/, '')
  return (plain.startsWith('/') || plain === '' ? plain : `/${plain}`).replace(/^\/data\/attributes(?=\/)/, '')
}

function fromDots(place: string): string {
  return `/${place
    .replace(/^(body|query|path)\./, '')
    .replaceAll(/\[(\d+)\]/g, '.$1')
    .replaceAll('.', '/')}`
}

function fromLocation(one: Value): Wrongs {
  if (!isRow(one) || !Array.isArray(one.loc)) return {}
  const place = ['body', 'query', 'path'].includes(String(one.loc[0])) ? one.loc.slice(1) : one.loc
  return { [place.reduce<string>((pointer, step) => below(pointer, String(step)), '')]: sentence(one.msg) }
}

function fromFields(errors: Record<string, Value>, above: string): Wrongs {
  const found: Wrongs = {}
  for (const [name, said] of Object.entries(errors)) {
    const pointer = name.includes('.') || name.includes('[') ? above + fromDots(name) : below(above, name)
    if (typeof said === 'string') found[pointer] = said
    else if (Array.isArray(said)) found[pointer] = said.map(sentence).filter(Boolean).join(' ')
    else if (isRow(said)) Object.assign(found, fromFields(said, pointer))
  }
  return found
}
