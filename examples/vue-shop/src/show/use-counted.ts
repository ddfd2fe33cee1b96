import { type ComputedRef, computed, watch } from 'vue'
import type { Asked } from '../parts/use-service'
import { lines } from './lines'
import { tally } from './tally'

export type PartState = 'waiting' | 'there' | 'failed'

/** How a component is doing; it is counted when that is settled. */
export function useCounted({ data, error }: Asked<unknown>): ComputedRef<PartState> {
  const state = computed(() => (error.value ? 'failed' : data.value ? 'there' : 'waiting'))
  watch(state, (now) => {
    lines.settled++
    tally.part(now === 'there')
  })
  return state
}
