import { useQuery } from '@tanstack/vue-query'
import { computed, type Ref, ref } from 'vue'
import { fillPath } from '../../../backoffice/address'
import { breach, useServiceCall } from '../../../backoffice/call'
import { recordOf } from '../../../backoffice/paging'
import { titleOf } from '../../../backoffice/show'
import type { Operation, Resource } from '../../../backoffice/types'
import { namesOfParent } from '../action/task'
import { useHere } from '../here'

/** One record in full; `revealed` shows what is masked, which is audited. */
export function useRecord(resource: Ref<Resource>, ids: Ref<string[]>) {
  const here = useHere()
  const call = useServiceCall()
  const get = computed(() => here.operation(resource.value.get))
  const refusal = computed(() => (get.value ? here.why(get.value) : ''))
  const path = computed(() => (get.value ? fillPath(get.value.path, namesOfParent(get.value, ids.value)) : null))
  const revealed = ref(false)
  const result = useQuery({
    queryKey: ['service', here.name, 'record', computed(() => resource.value.key), path, revealed],
    enabled: () => path.value !== null && !refusal.value,
    gcTime: 0,
    queryFn: async ({ signal }) => {
      const reply = await call(here.base.value + path.value, { signal, reveal: revealed.value })
      const found = recordOf(resource.value, reply.data)
      if (!found) throw breach(reply, 'S_SHAPE')
      return { row: found, etag: reply.etag }
    },
    placeholderData: (before, last) => (last?.queryKey[4] === path.value ? before : undefined),
  })
  const row = computed(() => result.data.value?.row)
  const field = computed(() => resource.value.record ?? resource.value.row)
  const title = computed(
    () => (row.value && titleOf({ ...resource.value, row: field.value }, row.value)) || ids.value.at(-1) || '',
  )

  /** What can be done with it, what one edits first and what one deletes last. */
  const operations = computed(() =>
    [resource.value.update, ...(resource.value.row_actions ?? []), resource.value.delete]
      .map((id) => here.operation(id))
      .filter((it): it is Operation => it !== undefined),
  )
  return { result, row, field, title, operations, refusal, revealed, path }
}
