import { useQuery } from '@tanstack/vue-query'
import { computed, type MaybeRefOrGetter, toValue } from 'vue'
import { useI18n } from 'vue-i18n'
import { useCall, useSend } from '../session/call'
import { usePlace } from '../session/use-place'
import { parseExact } from './exact'
import { operationOf, resourceOf } from './show'
import { refusalOf } from './trouble'
import type { Listed, Screens } from './types'

/** The services there are, kept current while somebody looks. */
export function useServices() {
  const call = useCall()
  const { members } = usePlace()
  const { locale } = useI18n()
  return useQuery({
    queryKey: ['screens', locale],
    queryFn: async ({ signal }) => (await call<{ services: Listed[] }>('/screens', { signal })).services,
    refetchInterval: 30_000,
    enabled: !members,
  })
}

/** All the screens of one service, in the page's language. */
export function useScreens(name: MaybeRefOrGetter<string>) {
  const send = useSend()
  const { locale } = useI18n()
  const query = useQuery({
    queryKey: ['screens of', computed(() => toValue(name)), locale],
    queryFn: async ({ signal }) => {
      const response = await send(`/screens/${encodeURIComponent(toValue(name))}`, { signal })
      if (!response.ok) throw await refusalOf(response)
      return parseExact(await response.text()) as Screens
    },
    enabled: () => toValue(name) !== '',
    refetchInterval: 30_000,
    staleTime: 10_000,
    placeholderData: (before, query) => (query?.queryKey[1] === toValue(name) ? before : undefined),
  })
  const screens = computed(() => query.data.value)
  return { query, screens }
}

/** What belongs to one screen, looked up by names. */
export function lookup(screens: Screens) {
  const { service } = screens
  return {
    operation: (id: string | undefined) => operationOf(service, id),
    resource: (key: string | undefined) => resourceOf(service, key),
  }
}
