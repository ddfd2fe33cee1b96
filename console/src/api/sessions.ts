import type { Call } from '../session/call'

/** One of my own sessions. All times are whole seconds since 1970. */
export interface OwnSession {
  id: string
  device: string
  from: string
  app: string
  started_at: number
  renewed_at: number
  ends_at: number
  current: boolean
}

/** `GET /sessions`: my devices. */
export async function ownSessions(call: Call, signal?: AbortSignal): Promise<OwnSession[]> {
  const answer = await call<{ sessions: OwnSession[] }>('/sessions', signal ? { signal } : {})
  return answer.sessions
}

/** `DELETE /sessions/{sid}`: ends one of my own. */
export function endOwnSession(call: Call, sid: string): Promise<void> {
  return call(`/sessions/${encodeURIComponent(sid)}`, { method: 'DELETE' })
}
