import { useQuery } from '@tanstack/vue-query'
import { useEventListener } from '@vueuse/core'
import { computed, onMounted } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { signInAddress, signInOptions } from '../../api/sign-in'
import { useMessages } from '../../parts/use-messages'
import { rememberRealm } from '../../session/realm'
import { safeReturnPath } from '../../session/return-path'
import { useSession } from '../../session/use-session'

function one(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** The sign-in page: the ways in, why one is here, and where one goes afterwards. */
export function useSignIn() {
  const { session, state } = useSession()
  const { sentenceOf } = useMessages()
  const route = useRoute()
  const router = useRouter()
  const returnTo = computed(() => safeReturnPath(route.query.return_to))

  const options = useQuery({
    queryKey: ['sign-in options'],
    queryFn: async () => {
      const answer = await signInOptions(session.openCall)
      rememberRealm(answer.console)
      return answer
    },
  })
  const ways = computed(() =>
    (options.data.value?.realms ?? [])
      .filter((realm) => realm.name === options.data.value?.console && realm.kind === 'oidc')
      .map((realm) => ({ ...realm, address: signInAddress(realm.name, returnTo.value) })),
  )

  const code = computed(() => one(route.query.reason) || state.value.end?.code || '')
  const reason = computed(() => sentenceOf(code.value))
  // Only what this page itself was told: text in an address is not shown.
  const replaced = computed(() => (state.value.end?.code === code.value ? state.value.end : null))
  const request = computed(() => (/^[\w-]{1,64}$/.test(one(route.query.request)) ? one(route.query.request) : ''))

  const arrivedWith = session.hinted()
  async function enter(): Promise<void> {
    // A reason is to be read, so it stays, until a sign-in elsewhere in this browser makes it history.
    if (code.value && session.hinted() === arrivedWith) return
    const { status } = await session.ready()
    if (status === 'active') await router.replace(returnTo.value)
  }
  onMounted(enter)
  useEventListener(window, 'focus', enter)

  return { options, ways, reason, replaced, request, returnTo }
}
