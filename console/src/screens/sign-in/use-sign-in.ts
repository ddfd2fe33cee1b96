import { useSession } from '@munjigi/client/vue'
import { computed } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { type Realm, signInAddress } from '../../api/sign-in'
import { safeReturnPath } from '../../session/return-path'
import { useArrival } from '../../session/use-arrival'
import { useOptions } from '../../session/use-options'
import { useReason } from '../../session/use-reason'

const looks = {
  oidc: { icon: 'building', text: 'signIn.button' },
  password: { icon: 'lock', text: 'signIn.withPassword' },
} as const

/** The console's sign-in page: its realm's way in, those of the other realms, and where one goes afterwards. */
export function useSignIn() {
  const { session } = useSession()
  const route = useRoute()
  const router = useRouter()
  const { code } = useReason()
  const { options } = useOptions()
  const returnTo = computed(() => safeReturnPath(route.query.return_to))

  const look = (realm: Realm) => looks[realm.kind === 'oidc' ? 'oidc' : 'password']
  const all = computed(() => options.data.value?.realms ?? [])
  const isOurs = (realm: Realm) => realm.name === options.data.value?.console
  const way = computed(() => {
    const realm = all.value.find(isOurs)
    return realm && { ...realm, ...look(realm), address: signInAddress(realm.name, returnTo.value) }
  })
  // Without an app the server has them end up at their own account.
  const others = computed(() =>
    all.value
      .filter((realm) => !isOurs(realm) && realm.kind !== 'oidc')
      .map((realm) => ({ ...realm, ...look(realm), address: `/sign-in/${encodeURIComponent(realm.name)}` })),
  )

  useArrival(session, { hasReason: () => code.value !== '', goOn: () => router.replace(returnTo.value) })
  return { options, way, others, returnTo }
}
