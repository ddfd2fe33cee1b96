import { computed, type Ref, reactive, ref, shallowRef } from 'vue'
import { fillPath, headersOf, isHeaderText, type Names, pathNames, queryText } from '../../../backoffice/address'
import { isFile } from '../../../backoffice/answer-shape'
import { downloadOf, type Reply, type Request, useServiceCall } from '../../../backoffice/call'
import { changeOf } from '../../../backoffice/change'
import { type Draft, startDraft } from '../../../backoffice/draft'
import { wrongsOf } from '../../../backoffice/errors'
import { isRow, writeExact } from '../../../backoffice/exact'
import { keep } from '../../../backoffice/export'
import { fill, type Wrong } from '../../../backoffice/fill'
import { follow } from '../../../backoffice/follow'
import { createIntention } from '../../../backoffice/intention'
import { bodyRequest } from '../../../backoffice/media'
import { below } from '../../../backoffice/pointer'
import { isSettled, ServiceError } from '../../../backoffice/trouble'
import type { Field, Operation, Row, Value } from '../../../backoffice/types'
import { isOver, useSend } from '../../../session/call'
import { useHere } from '../here'
import { useWrongs } from './use-wrongs'

/** What an operation is run on, and what its form begins with. */
export interface Start {
  operation: Operation
  names: Names
  /** The record as it is, for an update. */
  before?: Row | undefined
  etag?: string
  /** Values that the form begins with, for whatever is no update. */
  initial?: Row | undefined
  /** Properties of the body that the form does not ask for, with their values. */
  given?: Row
}

/** A request that is ready to be sent. */
export interface Ready {
  path: string
  request: Request
}

/** One operation with its form: values, what is wrong with them, and the one call that a press makes. */
export function useOperation(start: Ref<Start>) {
  const here = useHere()
  const call = useServiceCall()
  const raw = useSend()
  const { sentences } = useWrongs()
  const intention = createIntention()
  const operation = computed(() => start.value.operation)

  /** Everything beside the body: parameters of the query and of headers, and those of the path that are not known yet. */
  const parameters = computed(() =>
    (operation.value.parameters ?? []).filter((it) => it.in !== 'path' || !((it.name as string) in start.value.names)),
  )
  const schema = computed<Field | null>(() => {
    const body = operation.value.body
    if (!body) return null
    const hidden = new Set(Object.keys(start.value.given ?? {}))
    const fields = body.schema.fields?.filter((it) => !hidden.has(it.name ?? ''))
    if (hidden.size > 0 && fields?.length === 0) return null
    return { ...body.schema, ...(body.required ? { required: true } : {}), ...(fields ? { fields } : {}) }
  })

  const before = shallowRef<Row | undefined>(start.value.before)
  const etag = ref(start.value.etag ?? '')
  const form = reactive<{ parameters: Record<string, Draft>; body: Draft }>({ parameters: {}, body: null })
  const reason = ref('')

  function begin(record: Value = before.value): void {
    form.parameters = Object.fromEntries(
      parameters.value.map((it) => [it.name ?? '', startDraft(it, start.value.initial?.[it.name ?? ''])]),
    )
    form.body = schema.value ? startDraft(schema.value, record ?? start.value.initial) : null
  }
  begin()

  const local = ref<Record<string, Wrong>>({})
  const error = shallowRef<unknown>(null)
  const busy = ref(false)
  const progress = ref<number | null | undefined>(undefined)
  const wrongs = computed(() => sentences(local.value, wrongsOf(error.value)))
  const conflict = computed(() => error.value instanceof ServiceError && error.value.status === 412)

  function filledParameters(): Row {
    const values: Row = {}
    for (const parameter of parameters.value) {
      const name = parameter.name ?? ''
      const found = fill(parameter, form.parameters[name] ?? null, undefined)
      for (const [pointer, wrong] of Object.entries(found.wrongs)) local.value[below('', name) + pointer] = wrong
      values[name] = found.value
      if (parameter.in === 'header' && !isHeaderText(found.value)) local.value[below('', name)] = { code: 'pattern' }
    }
    return values
  }

  /** The body that the form stands for, whole. */
  function filledBody(): Value {
    if (!schema.value) return start.value.given
    const found = fill(schema.value, form.body, before.value)
    Object.assign(local.value, found.wrongs)
    return isRow(found.value) || start.value.given ? { ...(found.value as Row), ...start.value.given } : found.value
  }

  /** The request for what is filled in; null when something is wrong with it, or still missing. */
  async function make(): Promise<Ready | null> {
    local.value = {}
    error.value = null
    const values = filledParameters()
    const whole = filledBody()
    if (operation.value.guard.reason && !reason.value.trim()) local.value['#reason'] = { code: 'required' }
    if (Object.keys(local.value).length > 0) return null
    const fromForm = pathNames(operation.value.path).filter((name) => values[name] !== undefined)
    const names = { ...start.value.names, ...Object.fromEntries(fromForm.map((name) => [name, String(values[name])])) }
    const path = fillPath(operation.value.path, names)
    if (path === null) throw new ServiceError({ code: 'not_found', status: 404, byService: false })
    const body = before.value && isRow(whole) ? changeOf(operation.value, before.value, whole) : whole
    const request = await bodyRequest(operation.value, body)
    return {
      path: here.base.value + path + queryText(operation.value.parameters ?? [], values),
      request: withHeaders({ ...request, headers: headersOf(operation.value.parameters ?? [], values) }),
    }
  }

  function withHeaders(request: Request): Request {
    const { method } = operation.value
    return {
      ...request,
      method,
      ...(etag.value && operation.value.kind !== 'create' ? { ifMatch: etag.value } : {}),
      ...(reason.value.trim() ? { reason: reason.value.trim() } : {}),
    }
  }

  async function send(ready: Ready, signal?: AbortSignal): Promise<Reply> {
    const { method = 'GET' } = ready.request
    const meant = `${method} ${ready.path} ${ready.request.ifMatch ?? ''} ${writeExact(ready.request.headers ?? {})} ${ready.request.form ? 'form' : writeExact(ready.request.body ?? null)}`
    const key = method === 'GET' ? {} : { key: intention.keyFor(meant) }
    if (isFile(operation.value.answer)) return download(ready, key)
    const reply = await call(ready.path, { ...ready.request, ...key, ...(signal ? { signal } : {}) })
    const following = { call, base: here.base.value, ...(signal ? { signal } : {}) }
    return follow(reply, { ...following, progress: (share) => (progress.value = share) })
  }

  // What answers a file gives it to the person.
  async function download(ready: Ready, key: { key?: string }): Promise<Reply> {
    const { blob, name } = await downloadOf(raw, ready.path, { ...ready.request, ...key })
    keep(blob, name)
    return { status: 200, data: undefined, etag: '', headers: new Headers() }
  }

  /** One press is one call: a second one while it runs does nothing. Null = it was not done, and is said why. */
  async function submit(): Promise<Reply | null> {
    if (busy.value) return null
    busy.value = true
    try {
      const ready = await make()
      if (!ready) return null
      const reply = await send(ready)
      intention.settle()
      return reply
    } catch (cause) {
      if (isSettled(cause)) intention.settle()
      if (!isOver(cause)) error.value = cause
      return null
    } finally {
      busy.value = false
      progress.value = undefined
    }
  }

  /** Goes on from what somebody else has made of the record, with the values of `merged` in the form. */
  function restart(record: Row, tag: string, merged: Row): void {
    before.value = record
    etag.value = tag
    if (schema.value) form.body = startDraft(schema.value, merged)
    error.value = null
    local.value = {}
  }

  return {
    parameters,
    schema,
    form,
    reason,
    wrongs,
    error,
    busy,
    progress,
    conflict,
    before,
    begin,
    make,
    submit,
    restart,
    filledBody,
  }
}

export type OperationState = ReturnType<typeof useOperation>
