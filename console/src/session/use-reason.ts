import { useSession } from '@munjigi/client/vue'
import { computed } from 'vue'
import { useRoute } from 'vue-router'
import { useMessages } from '../parts/use-messages'

export function one(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** Why one is on a sign-in page: as the address says, else as this page was told. */
export function useReason() {
  const { state } = useSession()
  const { sentenceOf } = useMessages()
  const route = useRoute()
  const end = computed(() => state.value.end)
  const code = computed(() => one(route.query.reason) || end.value?.reason || '')
  const reason = computed(() => sentenceOf(code.value))
  // Only what this page itself was told: text in an address is not shown.
  const replaced = computed(() => (end.value?.reason === code.value ? end.value : null))
  const request = computed(() => (/^[\w-]{1,64}$/.test(one(route.query.request)) ? one(route.query.request) : ''))
  return { code, reason, replaced, request }
}
