import { type App, type InjectionKey, inject, readonly, type ShallowRef, shallowRef } from 'vue'
import type { Session } from './session'
import type { State } from './types'

interface Bound {
  session: Session
  state: Readonly<ShallowRef<State>>
}

const key: InjectionKey<Bound> = Symbol('session')

/** Makes the session and its reactive state known to every component. */
export function provideSession(app: App, session: Session): void {
  const state = shallowRef(session.state())
  session.subscribe((next) => {
    state.value = next
  })
  app.provide(key, { session, state: readonly(state) as Readonly<ShallowRef<State>> })
}

export function useSession(): Bound {
  const bound = inject(key)
  if (!bound) throw new Error('no session was provided')
  return bound
}
