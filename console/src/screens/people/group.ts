import type { Account } from '@munjigi/client'
import type { ListedSession } from '../../api/admin'

/** Somebody with all of their sessions that were fetched so far. */
export interface Person {
  account: Account
  checkedAt: number | null
  sessions: ListedSession[]
}

/** Groups a list of sessions by person; whoever comes first in the list stays first. */
export function groupByPerson(sessions: readonly ListedSession[]): Person[] {
  const people = new Map<string, Person>()
  for (const session of sessions) {
    const person = people.get(session.account.id) ?? { account: session.account, checkedAt: null, sessions: [] }
    person.sessions.push(session)
    person.checkedAt = Math.max(person.checkedAt ?? 0, session.checked_at ?? 0) || null
    people.set(session.account.id, person)
  }
  return [...people.values()]
}
