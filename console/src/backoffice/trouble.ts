import { SessionError } from '@munjigi/client'
import { isRow, parseExact } from './exact'
import type { Row, Value } from './types'

/** What is wrong with an answer that is none: its code is ours, and never crosses the wire. */
export type Breach = 'S_NOT_DATA' | 'S_SHAPE' | 'S_HTML'

interface Facts {
  status: number
  code: string
  /** What the service says of it, in its own words; never shown as ours. */
  words: string
  request: string
  retryAfter: number
  /** The answer as it is, for what is wrong with each field. */
  answer: Value
  byService: boolean
}

/** A call to a service that did not succeed, or whose answer cannot be used. */
export class ServiceError extends Error {
  declare readonly status: number
  declare readonly code: string
  declare readonly words: string
  declare readonly request: string
  declare readonly retryAfter: number
  declare readonly answer: Value
  declare readonly byService: boolean

  constructor(facts: Partial<Facts> & { code: string }) {
    super(facts.code)
    const usual: Omit<Facts, 'code'> = {
      status: 0,
      words: '',
      request: '',
      retryAfter: 0,
      answer: null,
      byService: true,
    }
    Object.assign(this, { name: 'ServiceError', ...usual, ...facts })
  }
}

const longest = 600

/** The words in which a service says what is wrong, wherever its framework puts them. */
function wordsOf(answer: Value): string {
  if (typeof answer === 'string') return answer.slice(0, longest)
  if (!isRow(answer)) return ''
  const nested = isRow(answer.error) ? wordsOf(answer.error) : ''
  const found = [answer.detail, answer.message, answer.error_description, answer.title, answer.error].find(
    (it) => typeof it === 'string' && it !== '',
  )
  return nested || String(found ?? '').slice(0, longest)
}

function codeOf(answer: Row, status: number): string {
  return typeof answer.code === 'string' && /^[a-z_]+$/.test(answer.code) ? answer.code : `status_${status}`
}

/** The error that an answer outside 2xx stands for. */
export async function refusalOf(response: Response): Promise<ServiceError> {
  const { status, headers } = response
  const text = await response.text().catch(() => '')
  const answer = readable(text)
  const row = isRow(answer) ? answer : {}
  const byService = headers.get('Munjigi-From') === 'service'
  const code = byService && status !== 412 ? `status_${status}` : codeOf(row, status)
  return new ServiceError({
    status,
    code,
    byService,
    words: wordsOf(answer),
    request: headers.get('Munjigi-Request') ?? (typeof row.request === 'string' ? row.request : ''),
    retryAfter: 1000 * (Number(headers.get('Retry-After')) || 0),
    answer,
  })
}

function readable(text: string): Value {
  try {
    return parseExact(text)
  } catch {
    return null
  }
}

/** Whether trying the very same again may help. */
export function mayPass(error: unknown): boolean {
  if (error instanceof ServiceError) return error.status >= 500 || error.status === 429 || error.status === 408
  return error instanceof SessionError && error.transient
}

/** Whether it is known that nothing was done: the next try is a new intention. */
export function isSettled(error: unknown): boolean {
  return error instanceof ServiceError && error.status >= 400 && error.status < 500 && !mayPass(error)
}
