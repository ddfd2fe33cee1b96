import { type App, type InjectionKey, inject, type ShallowRef, shallowRef } from 'vue'
import type { Session, State } from './types'

export { vueGuard } from './vue-guard'

interface Bound {
  session: Session
  state: Readonly<ShallowRef<State>>
}

const key: InjectionKey<Bound> = Symbol()

/** For `app.use`: makes the session and its reactive state known to every component. */
export function sessionPlugin(session: Session) {
  return {
    install(app: App): void {
      const state = shallowRef(session.state)
      session.subscribe((next) => {
        state.value = next
      })
      app.provide(key, { session, state })
    },
  }
}

/** The session of `sessionPlugin`, inside a component. Vue warns when there is none. */
export function useSession(): Bound {
  return inject(key) as Bound
}
