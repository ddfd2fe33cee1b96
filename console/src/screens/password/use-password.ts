import { useSession } from '@munjigi/client/vue'
import { useQueryClient } from '@tanstack/vue-query'
import { computed, nextTick, onMounted, ref, useTemplateRef, watch } from 'vue'
import { useRoute } from 'vue-router'
import { useCountdown } from '../../parts/use-countdown'
import { openCall, toldBy } from '../../session/call'
import { rememberApp } from '../../session/place'
import { useArrival } from '../../session/use-arrival'
import { useOptions } from '../../session/use-options'
import { usePlace } from '../../session/use-place'
import { one, useReason } from '../../session/use-reason'
import { useTarget } from '../../session/use-target'
import { useWays } from '../../session/use-ways'
import { createSignIn } from './sign-in-flow'

interface Field {
  focus(): void
  select(): void
}

/** The sign-in page of a realm whose members have a login and a password. */
export function usePassword() {
  const place = usePlace()
  const { session } = useSession()
  const queries = useQueryClient()
  const route = useRoute()
  const { realm } = useOptions()
  const { code } = useReason()
  const { target, host, find } = useTarget()

  async function leave(): Promise<void> {
    const { app, return_to: to } = await find()
    if (one(route.query.app)) rememberApp(place.realm, app)
    queries.clear()
    location.assign(to)
  }
  const flow = createSignIn({ call: openCall, realm: place.realm, app: place.app, leave })
  useArrival(session, { hasReason: () => code.value !== '', goOn: flow.goOn })

  const login = ref('')
  const password = ref('')
  const missing = ref<{ login: boolean; password: boolean }>({ login: false, password: false })
  const loginField = useTemplateRef<Field>('loginField')
  const passwordField = useTemplateRef<Field>('passwordField')

  async function submit(): Promise<void> {
    missing.value = { login: login.value.trim() === '', password: password.value === '' }
    if (missing.value.login) return loginField.value?.focus()
    if (missing.value.password) return passwordField.value?.focus()
    await flow.signIn(login.value, password.value)
  }

  onMounted(() => loginField.value?.focus())

  const waiting = useCountdown(flow.waitUntil)
  const choosing = useCountdown(computed(() => flow.choice.value?.until ?? 0))
  watch(choosing, (left) => {
    if (left === 0) flow.expire()
  })
  // The page is left open, and somebody else may come by: a password that was not needed any more is not kept.
  watch(flow.phase, (phase) => {
    if (phase === 'limit') password.value = ''
  })
  watch(flow.trouble, async (trouble) => {
    await nextTick()
    if (trouble?.kind === 'wrong') {
      passwordField.value?.focus()
      passwordField.value?.select()
    } else if (trouble?.kind === 'late') passwordField.value?.focus()
  })

  // A realm of a provider's has no form; the same address leads there once the server sees it.
  const provider = computed(() => (realm.value?.kind === 'oidc' ? route.fullPath : ''))
  const wrongLink = computed(() => toldBy(target.error.value)?.code === 'request_invalid')

  return {
    realm,
    provider,
    wrongLink,
    host,
    flow,
    linkTo: useWays().linkTo,
    login,
    password,
    missing,
    submit,
    waiting,
    choosing,
  }
}
