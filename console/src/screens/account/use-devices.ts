import { useQuery, useQueryClient } from '@tanstack/vue-query'
import { ElMessage } from 'element-plus'
import { computed, ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { endOwnSession, type OwnSession, ownSessions } from '../../api/sessions'
import { useAction } from '../../parts/use-action'
import { useMessages } from '../../parts/use-messages'
import { useSession } from '../../session/use-session'

/** My devices: the list, kept current while it is looked at, and the three ways to sign out. */
export function useDevices() {
  const { session } = useSession()
  const { messageOf } = useMessages()
  const { t } = useI18n()
  const queries = useQueryClient()
  const list = useQuery({
    queryKey: ['own sessions'],
    queryFn: ({ signal }) => ownSessions(session.call, signal),
    refetchInterval: 10_000,
  })
  // This device first, then the one used last.
  const devices = computed(() =>
    [...(list.data.value ?? [])].sort((a, b) => Number(b.current) - Number(a.current) || b.renewed_at - a.renewed_at),
  )

  const endOne = useAction(async (device: OwnSession) => {
    await endOwnSession(session.call, device.id)
    await queries.invalidateQueries({ queryKey: ['own sessions'] })
    return t('account.ended', { device: device.device || t('account.unknownDevice') })
  })
  const endAll = useAction(async (_: 'everywhere') => {
    await session.signOut({ everywhere: true })
    return null
  })

  const leaving = ref(false)
  async function endHere(): Promise<void> {
    leaving.value = true
    await session.signOut().catch((error) => ElMessage({ message: messageOf(error), type: 'error' }))
    leaving.value = false
  }
  return { list, devices, endOne, endAll, endHere, leaving }
}
