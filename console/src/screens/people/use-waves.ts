import { useSession } from '@munjigi/client/vue'
import { useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { decideWave, listWaves, type Wave } from '../../api/admin'
import { useAction } from '../../parts/use-action'
import { useCall } from '../../session/call'
import { nameOf } from '../../shell/name-of'

const namedInDialog = 5

// A provider is named by its issuer, an address; people know the host.
function hostOf(issuer: string): string {
  return URL.canParse(issuer) ? new URL(issuer).host : issuer
}

/** The waves that wait for a decision, and the two decisions. */
export function useWaves() {
  const { state } = useSession()
  const call = useCall()
  const { t } = useI18n()
  const queries = useQueryClient()
  const shown = ref<string[]>([])
  const list = useQuery({
    queryKey: ['waves'],
    queryFn: ({ signal }) => listWaves(call, signal),
    refetchInterval: 5000,
    enabled: computed(() => state.value.account?.roles.includes('admin') ?? false),
  })

  async function decide(wave: Wave, decision: 'confirm' | 'dismiss'): Promise<string> {
    await decideWave(call, wave.provider, decision)
    await Promise.all(['waves', 'admin sessions'].map((key) => queries.invalidateQueries({ queryKey: [key] })))
    return t(decision === 'confirm' ? 'wave.confirmed' : 'wave.dismissed')
  }
  const confirm = useAction((wave: Wave) => decide(wave, 'confirm'))
  const dismiss = useAction((wave: Wave) => decide(wave, 'dismiss'))
  async function keep(wave: Wave): Promise<void> {
    dismiss.subject.value = wave
    await dismiss.run()
  }

  /** "Kim, Lee and 12 more" */
  function names(wave: Wave): string {
    const some = wave.held.slice(0, namedInDialog).map(nameOf).join(', ')
    const more = wave.people - Math.min(wave.held.length, namedInDialog)
    return more > 0 ? t('wave.andMore', { names: some, n: more }, more) : some
  }
  function toggle(provider: string): void {
    const open = shown.value.includes(provider)
    shown.value = open ? shown.value.filter((name) => name !== provider) : [...shown.value, provider]
  }
  const waves = computed(() => list.data.value ?? [])
  return { waves, shown, toggle, confirm, dismiss, keep, names, hostOf }
}
