import type { Account } from '@munjigi/client'
import { useSession } from '@munjigi/client/vue'
import { useInfiniteQuery, useQueryClient } from '@tanstack/vue-query'
import { refDebounced } from '@vueuse/core'
import { computed, ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { type ListedSession, listSessions, revokeAccount, revokeSession } from '../../api/admin'
import { useAction } from '../../parts/use-action'
import { useCall } from '../../session/call'
import { nameOf } from '../../shell/name-of'
import { groupByPerson } from './group'

/** Who is signed in: found, paged, revoked. */
export function usePeople() {
  const { state } = useSession()
  const call = useCall()
  const { t } = useI18n()
  const queries = useQueryClient()
  const admin = computed(() => state.value.account?.roles.includes('admin') ?? false)

  const text = ref('')
  const search = refDebounced(
    computed(() => text.value.trim()),
    250,
  )
  const list = useInfiniteQuery({
    queryKey: ['admin sessions', search],
    queryFn: ({ pageParam, signal }) => listSessions(call, { search: search.value, after: pageParam, signal }),
    initialPageParam: '',
    getNextPageParam: (page) => page.next || undefined,
    placeholderData: (before) => before,
    refetchInterval: 10_000,
    enabled: admin,
  })
  const people = computed(() => groupByPerson((list.data.value?.pages ?? []).flatMap((page) => page.sessions)))

  async function refresh(): Promise<void> {
    await queries.invalidateQueries({ queryKey: ['admin sessions'] })
  }
  const endOne = useAction(async (one: ListedSession) => {
    await revokeSession(call, one.id)
    await refresh()
    return t('people.revoked', { name: nameOf(one.account), device: one.device || t('account.unknownDevice') })
  })
  const endAll = useAction(async (account: Account) => {
    const ended = await revokeAccount(call, account.id)
    await refresh()
    return t('people.allDone', { name: nameOf(account), n: ended }, ended)
  })
  return { admin, text, search, list, people, endOne, endAll }
}
