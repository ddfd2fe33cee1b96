import { useQuery } from '@tanstack/vue-query'
import { computed, type Ref, ref, watch } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { fillPath } from '../../../backoffice/address'
import { breach, useServiceCall } from '../../../backoffice/call'
import { callQuery, one, type Query, readQuery, withPage, withParam, writeQuery } from '../../../backoffice/list-query'
import { type Page, pageParam, previousOf, readPage, sizeOf, startOf } from '../../../backoffice/paging'
import type { Resource } from '../../../backoffice/types'
import { useHere } from '../here'

/** One list as the address asks for it: `parent` are the ids of the record that it lies below. */
export function useList(resource: Ref<Resource>, parent: Ref<string[]>) {
  const here = useHere()
  const call = useServiceCall()
  const route = useRoute()
  const router = useRouter()

  const query = computed(() => readQuery(resource.value, route.query))
  const list = computed(() => here.operation(resource.value.list))
  const paging = computed(() => resource.value.paging)
  const asked = computed(() => one(query.value, pageParam(paging.value)))
  const size = computed(() => sizeOf(paging.value, one(query.value, paging.value.size)))
  const refusal = computed(() => (list.value ? here.why(list.value) : ''))

  const base = computed(() => {
    const path = list.value && fillPath(list.value.path, {}, parent.value)
    return path ? here.base.value + path : ''
  })
  const search = computed(() => (list.value ? callQuery(resource.value, list.value, query.value) : ''))

  async function fetchPage(search: string, asked: string | undefined, signal?: AbortSignal): Promise<Page> {
    const reply = await call(base.value + search, signal ? { signal } : {})
    const sized = Number(new URLSearchParams(search).get(paging.value.size ?? '')) || size.value
    const page = readPage(resource.value, reply.data, reply.headers, asked, sized)
    if (!page) throw breach({ status: reply.status, headers: reply.headers }, 'S_SHAPE')
    return page
  }

  const result = useQuery({
    queryKey: ['service', here.name, 'list', computed(() => resource.value.key), base, search],
    queryFn: ({ signal }) => fetchPage(search.value, asked.value, signal),
    enabled: () => base.value !== '' && !refusal.value,
    placeholderData: (before, last) => (last?.queryKey[4] === base.value ? before : undefined),
  })
  const page = computed(() => result.data.value)

  // Only this page knows the cursors that led here; a reload forgets them, and goes back to the beginning instead.
  const trail = ref<string[]>([])
  watch([base, () => JSON.stringify(withPage(resource.value, query.value, ''))], () => {
    trail.value = []
  })
  const previous = computed(() => {
    const known = previousOf(paging.value, asked.value, size.value)
    return known === undefined ? (trail.value.at(-1) ?? '') : known
  })

  function go(next: Query): Promise<unknown> {
    return router.push({ query: writeQuery(resource.value, route.query, next) as never })
  }

  function change(changes: Record<string, string | string[] | null>): Promise<unknown> {
    return go(withParam(resource.value, query.value, changes))
  }

  async function forward(): Promise<void> {
    const next = page.value?.next
    if (!next) return
    const before = [...trail.value, asked.value ?? '']
    await go(withPage(resource.value, query.value, next))
    trail.value = before
  }

  async function back(): Promise<void> {
    if (previous.value === null) return
    const before = trail.value.slice(0, -1)
    await go(withPage(resource.value, query.value, previous.value))
    trail.value = before
  }

  const range = computed(() => {
    const count = page.value?.rows.length ?? 0
    // With cursors the place is known as long as the way here is.
    const start =
      startOf(paging.value, asked.value, size.value) ??
      (trail.value.length ? trail.value.length * size.value + 1 : null)
    return count === 0 ? null : { from: start, to: start === null ? null : start + count - 1, count }
  })

  return {
    query,
    list,
    refusal,
    result,
    page,
    size,
    range,
    previous,
    base,
    search,
    change,
    go,
    forward,
    back,
    fetchPage,
  }
}

export type ListState = ReturnType<typeof useList>
