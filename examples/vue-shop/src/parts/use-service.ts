import { type ShallowRef, shallowRef } from 'vue'
import { session } from '../session'

export interface Asked<T> {
  data: ShallowRef<T | undefined>
  /** What went wrong, if it did. */
  error: ShallowRef<unknown>
}

/** What one component shows. It asks as soon as it is there, and knows nothing of sessions, tokens or its neighbours. */
export function useService<T>(url: string): Asked<T> {
  const data = shallowRef<T>()
  const error = shallowRef<unknown>()
  async function ask(): Promise<void> {
    const answer = await session.fetch(url)
    if (!answer.ok) throw new Error(`${answer.status} of ${url}`)
    data.value = await answer.json()
  }
  ask().catch((reason) => {
    error.value = reason
  })
  return { data, error }
}
