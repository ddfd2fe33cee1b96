import { computed, ref, shallowRef, toRef } from 'vue'
import { fillPath } from '../../../backoffice/address'
import { again, countOf, type Item, partsOf, runOver } from '../../../backoffice/bulk'
import { useServiceCall } from '../../../backoffice/call'
import { follow } from '../../../backoffice/follow'
import { createIntention } from '../../../backoffice/intention'
import { outcomesOf } from '../../../backoffice/outcomes'
import { property } from '../../../backoffice/pointer'
import { isSettled, ServiceError } from '../../../backoffice/trouble'
import type { Row } from '../../../backoffice/types'
import { isOver } from '../../../session/call'
import { useOperation } from '../form/use-operation'
import { useHere } from '../here'
import type { Target, Task } from './task'

const usualPart = 100

/** One action over many rows: filled in once, then run for each, with what came of each. */
export function useBulk(task: Task) {
  const here = useHere()
  const call = useServiceCall()
  const { operation, many } = task
  const first = task.targets?.[0]
  const given: Row = many ? { [many.ids]: [] } : {}
  const start = shallowRef({ operation, names: first?.names ?? {}, given })
  const state = useOperation(toRef(() => start.value))

  const items = shallowRef<Item<Target>[]>((task.targets ?? []).map((subject) => ({ subject, state: 'waiting' })))
  const intentions = new Map<string, ReturnType<typeof createIntention>>()
  const phase = ref<'form' | 'collecting' | 'running' | 'over'>('form')
  const found = ref(0)
  const error = shallowRef<unknown>(null)
  let stop = new AbortController()

  const changed = () => (items.value = [...items.value])
  const counts = computed(() => ({
    all: items.value.length,
    done: countOf(items.value, 'done'),
    failed: countOf(items.value, 'failed'),
    left: countOf(items.value, 'waiting', 'running'),
  }))

  function intentionOf(key: string) {
    const known = intentions.get(key) ?? createIntention()
    intentions.set(key, known)
    return known
  }

  /** Sends what the form says for one row. */
  async function perform(target: Target): Promise<void> {
    const ready = await state.make()
    const path = fillPath(operation.path, target.names)
    if (!ready || path === null) throw new ServiceError({ code: 'not_found', status: 404, byService: false })
    const query = ready.path.includes('?') ? ready.path.slice(ready.path.indexOf('?')) : ''
    const intention = intentionOf(target.key)
    try {
      const key = intention.keyFor(target.key)
      const reply = await call(here.base.value + path + query, { ...ready.request, key })
      await follow(reply, { call, base: here.base.value })
    } catch (cause) {
      if (isSettled(cause)) intention.settle()
      throw cause
    }
  }

  /** Sends many ids in one call, as many as the operation takes, and reads what came of each. */
  async function performMany(part: Item<Target>[]): Promise<void> {
    start.value = { ...start.value, given: { [many?.ids ?? '']: part.map(({ subject }) => idOf(subject)) } }
    const ready = await state.make()
    if (!ready) throw new ServiceError({ code: 'request_invalid', status: 422 })
    for (const item of part) item.state = 'running'
    changed()
    try {
      const key = intentionOf(part.map(({ subject }) => subject.key).join()).keyFor(ready.path)
      const reply = await follow(await call(ready.path, { ...ready.request, key }), { call, base: here.base.value })
      const outcomes = outcomesOf(
        reply.data,
        part.map(({ subject }) => subject.key),
      )
      for (const item of part) settle(item, outcomes.get(item.subject.key))
    } catch (cause) {
      intentions.delete(part.map(({ subject }) => subject.key).join())
      for (const item of part) settle(item, cause)
    }
    changed()
  }

  function settle(item: Item<Target>, cause: unknown): void {
    item.state = cause ? 'failed' : 'done'
    if (cause) item.error = cause
  }

  function idOf({ row, key }: Target): unknown {
    return property(row, task.resource?.id ?? '') ?? key
  }

  async function collect(): Promise<boolean> {
    if (!task.all || items.value.length > (task.targets?.length ?? 0)) return true
    phase.value = 'collecting'
    try {
      const targets = await task.all((n) => (found.value = n), stop.signal)
      items.value = targets.map((subject) => ({ subject, state: 'waiting' }))
      return true
    } catch (cause) {
      if (!stop.signal.aborted && !isOver(cause)) error.value = cause
      phase.value = 'form'
      return false
    }
  }

  async function run(): Promise<void> {
    stop = new AbortController()
    error.value = null
    if (!(await state.make()) || !(await collect())) return
    phase.value = 'running'
    if (many) await inParts()
    else await runOver(items.value, { perform, changed, stopped: () => stop.signal.aborted })
    phase.value = 'over'
    await here.refresh()
  }

  async function inParts(): Promise<void> {
    const size =
      operation.guard.limit ||
      operation.body?.schema.fields?.find(({ name }) => name === many?.ids)?.max_items ||
      usualPart
    const waiting = items.value.filter((it) => it.state === 'waiting')
    for (const part of partsOf(waiting, size)) {
      if (stop.signal.aborted) return
      await performMany(part)
    }
  }

  async function retry(): Promise<void> {
    again(items.value)
    changed()
    await run()
  }

  return { state, items, phase, found, error, counts, run, retry, stop: () => stop.abort() }
}
