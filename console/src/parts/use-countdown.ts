import { useNow } from '@vueuse/core'
import { computed, type Ref } from 'vue'

/** Whole seconds left until a moment (milliseconds since 1970), never below 0, kept current. */
export function useCountdown(until: Readonly<Ref<number>>) {
  const now = useNow({ interval: 250 })
  return computed(() => Math.max(0, Math.ceil((until.value - now.value.getTime()) / 1000)))
}

/** "0:42" */
export function clock(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
