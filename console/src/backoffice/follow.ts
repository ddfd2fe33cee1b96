import { breach, type Reply, type ServiceCall } from './call'
import { isRow } from './exact'
import { ServiceError } from './trouble'

const least = 500
const most = 5000

export interface Following {
  call: ServiceCall
  base: string
  signal?: AbortSignal
  /** Between 0 and 1 where the service says how far it is; null where it does not. */
  progress?: (share: number | null) => void
  pause?: (milliseconds: number) => Promise<void>
}

const wait = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds))

/**
 * Follows a 202 to where it says that its outcome will be, until that is there: any answer but 202, and but a body that
 * calls itself unfinished. Only addresses of the same service are asked.
 */
export async function follow(first: Reply, { call, base, signal, progress, pause = wait }: Following): Promise<Reply> {
  let reply = first
  let place = first.headers.get('Location')
  for (let turn = 0; place && isUnfinished(reply, turn); turn++) {
    if (!place.startsWith(`${base}/`)) throw breach(reply, 'S_SHAPE')
    progress?.(shareOf(reply))
    await pause(pauseOf(reply, turn))
    signal?.throwIfAborted()
    reply = await call(place, signal ? { signal } : {})
    place = reply.headers.get('Location') ?? place
  }
  const state = stateOf(reply)
  if (place && /^(failed|error|cancelled|canceled)$/.test(state)) {
    const row = isRow(reply.data) ? reply.data : {}
    const words = [row.detail, row.message, row.error].find((it) => typeof it === 'string')
    throw new ServiceError({ code: 'S_FAILED', words: String(words ?? ''), answer: reply.data })
  }
  return reply
}

function stateOf(reply: Reply): string {
  const row = isRow(reply.data) ? reply.data : {}
  return String(row.status ?? row.state ?? '').toLowerCase()
}

function isUnfinished(reply: Reply, turn: number): boolean {
  if (reply.status === 202) return true
  const done = isRow(reply.data) ? reply.data.done : undefined
  return (
    turn > 0 && (done === false || /^(pending|queued|running|in_progress|processing|started)$/.test(stateOf(reply)))
  )
}

function shareOf(reply: Reply): number | null {
  const row = isRow(reply.data) ? reply.data : {}
  const share = Number(row.progress ?? row.percent ?? Number.NaN)
  if (Number.isNaN(share)) {
    const [done, total] = [Number(row.done ?? row.processed), Number(row.total)]
    return total > 0 && done >= 0 ? Math.min(1, done / total) : null
  }
  return Math.max(0, Math.min(1, share > 1 ? share / 100 : share))
}

function pauseOf(reply: Reply, turn: number): number {
  const asked = 1000 * (Number(reply.headers.get('Retry-After')) || 0)
  return Math.max(asked, Math.min(most, least * 1.5 ** turn))
}
