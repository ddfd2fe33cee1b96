import { ElMessage } from 'element-plus'
import { computed, type Ref, ref, shallowRef, watch } from 'vue'
import { useI18n } from 'vue-i18n'
import { fillPath } from '../../../backoffice/address'
import { type Reply, useServiceCall } from '../../../backoffice/call'
import { type Difference, differences, rebase } from '../../../backoffice/change'
import { isRow } from '../../../backoffice/exact'
import { recordOf } from '../../../backoffice/paging'
import type { Row } from '../../../backoffice/types'
import { asked } from '../../../backoffice/widget'
import { useOperation } from '../form/use-operation'
import { useHere } from '../here'
import { namesFor, type Task } from './task'

/** What somebody else has made of the record meanwhile. */
export interface Conflicts {
  pending: boolean
  error: unknown
  list: Difference[]
}

// What the form does not ask for and the record's own schema explains is the service's business alone.
function known(task: Task, before: Row | undefined): Row | undefined {
  const { operation, resource } = task
  if (!before || (operation.kind !== 'update' && operation.kind !== 'settings')) return undefined
  const body = new Set(operation.body?.schema.fields?.map((it) => it.name))
  const record = new Set((resource?.record ?? resource?.row)?.fields?.map((it) => it.name))
  return Object.fromEntries(Object.entries(before).filter(([name]) => body.has(name) || !record.has(name)))
}

/** One operation in a dialog, from the form to its end. */
export function useSteps(
  task: Task,
  record: Ref<Row | undefined>,
  etag: string,
  done: (reply: Reply) => void,
  close: () => void,
) {
  const here = useHere()
  const call = useServiceCall()
  const { t } = useI18n()
  const start = shallowRef({ operation: task.operation, names: task.names, before: known(task, record.value), etag })
  const state = useOperation(start)

  const typed = ref('')
  const mustType = computed(() =>
    task.operation.danger === 'irreversible' ? task.target?.title || task.operation.title : '',
  )
  const confirmed = computed(() => !mustType.value || typed.value.trim() === mustType.value)

  async function send(): Promise<void> {
    if (!confirmed.value) return
    const reply = await state.submit()
    if (!reply) return
    ElMessage({ type: 'success', message: said(), grouping: true })
    await here.refresh()
    done(reply)
    close()
  }

  function said(): string {
    const { kind, title } = task.operation
    if (kind === 'update' || kind === 'settings') return t('form.saved')
    const name = task.target?.title ?? ''
    return name ? t('form.doneTo', { title, name }) : t('form.done', { title })
  }

  const conflicts = ref<Conflicts>({ pending: true, error: null, list: [] })
  let theirs: { record: Row; etag: string } | null = null
  let mine: Row = {}

  watch(state.conflict, (now) => {
    if (now) void look()
  })

  /** Fetches what the record is now, and what of it is in the way of mine. */
  async function look(): Promise<void> {
    conflicts.value = { pending: true, error: null, list: [] }
    try {
      const { resource, target } = task
      const get = here.operation(resource?.get)
      const path =
        resource && get && target
          ? fillPath(get.path, namesFor(resource, get, target.row, Object.values(target.names).slice(0, -1)))
          : null
      if (!path || !resource) throw new Error('nothing to compare with')
      const reply = await call(here.base.value + path)
      const now = recordOf(resource, reply.data) ?? {}
      theirs = { record: known({ ...task }, now) ?? now, etag: reply.etag }
      const whole = state.filledBody()
      mine = isRow(whole) ? whole : {}
      const fields = task.operation.body
        ? asked(task.operation.body.schema)
        : (resource.record?.fields ?? resource.row.fields ?? [])
      const before = state.before.value ?? record.value ?? {}
      conflicts.value = { pending: false, error: null, list: differences(fields, before, theirs.record, mine) }
    } catch (error) {
      conflicts.value = { pending: false, error, list: [] }
    }
  }

  /** Puts mine onto theirs, where theirs was not chosen, and saves it. */
  async function resolve(takeTheirs: ReadonlySet<string>): Promise<void> {
    if (!theirs) return look()
    const merged = rebase(state.before.value ?? {}, theirs.record, mine, takeTheirs)
    state.restart(theirs.record, theirs.etag, merged)
    await send()
  }

  return { state, typed, confirmed, mustType, send, conflicts, resolve }
}
