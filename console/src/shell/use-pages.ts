import { useSession } from '@munjigi/client/vue'
import { useQueries } from '@tanstack/vue-query'
import { computed, type Ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { listPath } from '../backoffice/address'
import { parseExact } from '../backoffice/exact'
import type { Entry, Screens } from '../backoffice/types'
import { useServices } from '../backoffice/use-screens'
import type { IconName } from '../parts/icons'
import { entryIcon, entryPath } from '../screens/service/entries'
import { useSend } from '../session/call'
import { matches } from './match'

/** Something to go to: a page, or a page with something begun on it. */
export interface Page {
  title: string
  place: string
  to: string
  icon: IconName
}

const most = 40

/** All pages of all services, those that match the text first. A text also searches every list that can be searched. */
export function usePages(text: Ref<string>, open: Ref<boolean>) {
  const { t, locale } = useI18n()
  const { state } = useSession()
  const send = useSend()
  const { data: services } = useServices()
  const all = useQueries({
    queries: computed(() =>
      (open.value ? (services.value ?? []) : []).map(({ name }) => ({
        queryKey: ['screens of', name, locale.value],
        staleTime: 60_000,
        queryFn: async () => {
          const response = await send(`/screens/${encodeURIComponent(name)}`)
          return response.ok ? (parseExact(await response.text()) as Screens) : null
        },
      })),
    ),
  })
  const screens = computed(() => all.value.map(({ data }) => data).filter((it): it is Screens => Boolean(it)))

  function ofService({ service, refused }: Screens): Page[] {
    const entry = (it: Entry): Page => ({
      title: it.title,
      place: service.title,
      to: entryPath(service.name, it),
      icon: entryIcon(it),
    })
    const create = service.resources
      .filter((it) => it.create && !it.parent && !refused[it.create])
      .map(
        (it): Page => ({
          title: t('list.new', { what: it.singular }),
          place: service.title,
          to: `${listPath(service.name, it.key)}?_new=1`,
          icon: 'plus',
        }),
      )
    return [...service.menu.flatMap((group) => group.entries.map(entry)), ...create]
  }

  function searches(words: string): Page[] {
    return screens.value.flatMap(({ service }) =>
      service.resources
        .filter((it) => it.search && !it.parent)
        .map(
          (it): Page => ({
            title: t('palette.search', { words, title: it.title }),
            place: service.title,
            to: `${listPath(service.name, it.key)}?${new URLSearchParams({ [it.search as string]: words })}`,
            icon: 'search',
          }),
        ),
    )
  }

  const own = computed<Page[]>(() => [
    { title: t('menu.home'), place: t('app.name'), to: '/', icon: 'home' },
    { title: t('menu.account'), place: t('app.name'), to: '/account', icon: 'person' },
    ...(state.value.account?.roles.includes('admin')
      ? [{ title: t('menu.people'), place: t('app.name'), to: '/people', icon: 'people' as const }]
      : []),
  ])
  const pages = computed(() => [...own.value.slice(0, 1), ...screens.value.flatMap(ofService), ...own.value.slice(1)])
  const found = computed(() => {
    const words = text.value.trim()
    const hits = pages.value.filter((page) => matches(`${page.title} ${page.place}`, words))
    return [...hits, ...(words ? searches(words) : [])].slice(0, most)
  })
  return { found }
}
