import { useNow } from '@vueuse/core'
import { computed, type Ref } from 'vue'

/** Whole seconds left until a moment (milliseconds since 1970), never below 0, kept current. */
export function useCountdown(until: Readonly<Ref<number>>) {
  const tick = useNow({ interval: 250 })
  // Of the last tick's time there would be a second more than there is when a countdown begins.
  return computed(() => Math.max(0, Math.ceil((until.value - Math.max(tick.value.getTime(), Date.now())) / 1000)))
}

/** "0:42" */
export function clock(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}
