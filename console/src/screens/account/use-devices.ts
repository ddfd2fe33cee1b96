import { useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { endOwnSession, type OwnSession, ownSessions } from '../../api/sessions'
import { useAction } from '../../parts/use-action'
import { useLeave } from '../../parts/use-leave'
import { useCall } from '../../session/call'

/** My devices: the list, kept current while it is looked at, and the three ways to sign out. */
export function useDevices() {
  const call = useCall()
  const leave = useLeave()
  const { t } = useI18n()
  const queries = useQueryClient()
  const list = useQuery({
    queryKey: ['own sessions'],
    queryFn: ({ signal }) => ownSessions(call, signal),
    refetchInterval: 10_000,
  })
  // This device first, then the one used last.
  const devices = computed(() =>
    [...(list.data.value ?? [])].sort((a, b) => Number(b.current) - Number(a.current) || b.renewed_at - a.renewed_at),
  )

  const endOne = useAction(async (device: OwnSession) => {
    await endOwnSession(call, device.id)
    await queries.invalidateQueries({ queryKey: ['own sessions'] })
    return t('account.ended', { device: device.device || t('account.unknownDevice') })
  })
  const endAll = useAction(async (_: 'everywhere') => {
    await leave({ everywhere: true })
    return null
  })

  const leaving = ref(false)
  async function endHere(): Promise<void> {
    leaving.value = true
    await leave()
    leaving.value = false
  }
  return { list, devices, endOne, endAll, endHere, leaving }
}
