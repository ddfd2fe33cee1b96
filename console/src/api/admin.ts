import type { Account } from '@munjigi/client'
import type { Call } from '../session/call'

/** Somebody's live session, for administrators. All times are whole seconds since 1970. */
export interface ListedSession {
  id: string
  account: Account
  app: string
  device: string
  from: string
  started_at: number
  renewed_at: number
  ends_at: number
  checked_at?: number
}

export interface SessionPage {
  sessions: ListedSession[]
  /** The cursor of the next page; "" = this is the last. */
  next: string
}

/** People of one provider whom it reports gone, all at once: held until an administrator decides. */
export interface Wave {
  provider: string
  since: number
  people: number
  held: { id: string; email?: string; name?: string }[]
}

export interface SessionQuery {
  search: string
  after: string
  signal?: AbortSignal
}

/** `GET /admin/sessions`: who is signed in, newest first. */
export function listSessions(call: Call, { search, after, signal }: SessionQuery): Promise<SessionPage> {
  const query = new URLSearchParams()
  if (search) query.set('search', search)
  if (after) query.set('after', after)
  return call(`/admin/sessions${query.size ? `?${query}` : ''}`, signal ? { signal } : {})
}

/** `DELETE /admin/sessions/{sid}`: revokes one session. */
export function revokeSession(call: Call, sid: string): Promise<void> {
  return call(`/admin/sessions/${encodeURIComponent(sid)}`, { method: 'DELETE' })
}

/** `DELETE /admin/accounts/{id}/sessions`: revokes all sessions of an account; answers how many. */
export async function revokeAccount(call: Call, account: string): Promise<number> {
  const path = `/admin/accounts/${encodeURIComponent(account)}/sessions`
  return (await call<{ ended: number }>(path, { method: 'DELETE' })).ended
}

/** `GET /admin/waves` */
export async function listWaves(call: Call, signal?: AbortSignal): Promise<Wave[]> {
  return (await call<{ waves: Wave[] }>('/admin/waves', signal ? { signal } : {})).waves
}

/** `POST /admin/waves/confirm` cuts the held people off; `…/dismiss` keeps them. */
export function decideWave(call: Call, provider: string, decision: 'confirm' | 'dismiss'): Promise<void> {
  return call(`/admin/waves/${decision}`, { method: 'POST', body: { provider } })
}
