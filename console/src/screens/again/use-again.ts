import { computed, onMounted, watch } from 'vue'
import { useRoute } from 'vue-router'
import { useCountdown } from '../../parts/use-countdown'
import { openCall } from '../../session/call'
import { usePlace } from '../../session/use-place'
import { one, useReason } from '../../session/use-reason'
import { createAgain } from './again-flow'

/** Where a provider's sign-in ends that did not succeed: why, what there is to choose, and the way to try again. */
export function useAgain() {
  const { realm } = usePlace()
  const route = useRoute()
  const { code } = useReason()
  const flow = createAgain({ call: openCall, realm, leave: (to) => location.assign(to) })

  // The server checks both when they come back to it.
  const address = computed(() => {
    const query = new URLSearchParams()
    for (const name of ['app', 'return_to']) {
      const value = one(route.query[name])
      if (value) query.set(name, value)
    }
    return `/sign-in/${encodeURIComponent(realm)}?${query}`
  })
  onMounted(() => {
    if (code.value === 'session_limit') void flow.load()
  })
  const left = useCountdown(computed(() => flow.choice.value?.until ?? 0))
  watch(left, (seconds) => {
    if (seconds === 0) flow.expire()
  })
  return { flow, address, left }
}
