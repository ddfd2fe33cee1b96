import type { Request } from './call'
import { isRow, writeExact } from './exact'
import type { Operation, Row, Value } from './types'

/** A body as its operation wants it: JSON, a form with files, or one file as it is. */
export async function bodyRequest(operation: Operation, value: Value): Promise<Request> {
  const { body } = operation
  if (!body || value === undefined) return {}
  if (body.media.startsWith('multipart/')) return { form: formOf(isRow(value) ? value : {}) }
  if (value instanceof File) return { file: value, media: body.media.includes('*') ? value.type : body.media }
  if (body.media === 'application/x-www-form-urlencoded')
    return { text: urlencoded(isRow(value) ? value : {}), media: body.media }
  return { body: await inlined(value), media: body.media }
}

function formOf(row: Row): FormData {
  const form = new FormData()
  for (const [name, value] of Object.entries(row)) {
    if (value instanceof File) form.append(name, value, value.name)
    else if (value !== undefined && value !== null) form.append(name, partOf(value))
  }
  return form
}

function partOf(value: Value): string {
  return typeof value === 'object' ? writeExact(value) : String(value)
}

function urlencoded(row: Row): string {
  const there = Object.entries(row).filter(([, value]) => value !== undefined && value !== null)
  return new URLSearchParams(there.map(([name, value]) => [name, partOf(value)])).toString()
}

/** Files within JSON travel as base64. */
async function inlined(value: Value): Promise<Value> {
  if (value instanceof File) return base64(value)
  if (Array.isArray(value)) return Promise.all(value.map(inlined))
  if (!isRow(value)) return value
  const pairs = await Promise.all(Object.entries(value).map(async ([name, it]) => [name, await inlined(it)] as const))
  return Object.fromEntries(pairs)
}

async function base64(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer())
  let text = ''
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000))
  return btoa(text)
}
