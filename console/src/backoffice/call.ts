import { type Send, type SendInit, useSend } from '../session/call'
import { parseExact, writeExact } from './exact'
import { refusalOf, ServiceError } from './trouble'
import type { Value } from './types'

// The gateway gives up on a service before we do.
const limit = 40_000

export interface Request {
  method?: string
  /** Sent as JSON with every digit. */
  body?: Value
  /** Its media type, when it is another one than application/json. */
  media?: string
  form?: FormData
  file?: File
  /** A body that is written already. */
  text?: string
  /** One for each intention, the same for each of its tries. */
  key?: string
  ifMatch?: string
  reason?: string
  reveal?: boolean
  /** Those that the operation's document asks for. */
  headers?: Record<string, string>
  signal?: AbortSignal
}

/** What a service has answered. */
export interface Reply {
  status: number
  /** undefined when there is nothing. */
  data: Value
  etag: string
  headers: Headers
}

/** What a service has answered that is no JSON: something to be kept as a file. */
export interface Download {
  blob: Blob
  name: string
}

/** One call to a service. Rejects with a ServiceError, or a SessionError when nothing came back. */
export type ServiceCall = (path: string, request?: Request) => Promise<Reply>

export function initOf(request: Request): SendInit {
  const { method = 'GET', body, media, form, file, text, key, ifMatch, reason, reveal, signal } = request
  const headers: Record<string, string> = { ...request.headers }
  if (method !== 'GET' && !form) headers['Content-Type'] = media || 'application/json'
  if (key) headers['Idempotency-Key'] = key
  if (ifMatch) headers['If-Match'] = ifMatch
  if (reason) headers['Munjigi-Reason'] = encodeURIComponent(reason)
  if (reveal) headers['Munjigi-Reveal'] = 'true'
  const content = form ?? file ?? text ?? (body === undefined ? undefined : writeExact(body))
  return {
    method,
    headers,
    limit: form || file ? 0 : limit,
    ...(content ? { content } : {}),
    ...(signal ? { signal } : {}),
  }
}

export function serviceCallOf(send: Send): ServiceCall {
  return async (path, request = {}) => {
    const response = await send(path, initOf(request))
    if (!response.ok) throw await refusalOf(response)
    return replyOf(response)
  }
}

/** The JSON of an answer, if it is one. */
export async function replyOf(response: Response): Promise<Reply> {
  const { status, headers } = response
  const etag = headers.get('ETag') ?? ''
  const type = headers.get('Content-Type') ?? ''
  if (status === 204 || headers.get('Content-Length') === '0') return { status, data: undefined, etag, headers }
  const text = await response.text()
  if (text === '') return { status, data: undefined, etag, headers }
  if (!/[/+]json\b/i.test(type)) throw breach(response, /html/i.test(type) ? 'S_HTML' : 'S_NOT_DATA')
  try {
    return { status, data: parseExact(text), etag, headers }
  } catch {
    throw breach(response, 'S_NOT_DATA')
  }
}

/** An error that says in which way an answer is not what the service's document promises. */
export function breach(response: { status: number; headers: Headers }, code: string): ServiceError {
  return new ServiceError({ code, status: response.status, request: response.headers.get('Munjigi-Request') ?? '' })
}

/** Fetches something to be kept as a file. */
export async function downloadOf(send: Send, path: string, request: Request = {}): Promise<Download> {
  const response = await send(path, { ...initOf(request), limit: 0 })
  if (!response.ok) throw await refusalOf(response)
  return { blob: await response.blob(), name: fileName(response.headers.get('Content-Disposition'), path) }
}

/** The name that an answer proposes for its file; never a path. */
export function fileName(disposition: string | null, path: string): string {
  const encoded = /filename\*=UTF-8''([^;]+)/i.exec(disposition ?? '')?.[1]
  const plain = /filename="?([^";]+)"?/i.exec(disposition ?? '')?.[1]
  const last = path.split('?')[0]?.split('/').filter(Boolean).at(-1) ?? 'download'
  return (decoded(encoded) ?? plain ?? last).replaceAll(/[\\/:\n\r]/g, '-')
}

function decoded(text: string | undefined): string | undefined {
  try {
    return text && decodeURIComponent(text)
  } catch {
    return undefined
  }
}

export function useServiceCall(): ServiceCall {
  return serviceCallOf(useSend())
}
