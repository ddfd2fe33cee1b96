// The screens of a service as the server tells them: internal/backoffice/screens.go, whose comments say more.

/** Any JSON value; integers beyond 2^53 are bigints, other numbers that a double cannot hold are kept as their text. */
export type Value = unknown

/** One record, or any other JSON object. */
export type Row = Record<string, Value>

export interface Service {
  name: string
  title: string
  help?: string
  docs?: string
  version?: string
  menu: Group[]
  resources: Resource[]
  reports: Report[]
  settings: Settings[]
  cards: Card[]
  operations: Operation[]
}

export interface Group {
  title: string
  help?: string
  entries: Entry[]
}

export interface Entry {
  kind: 'resource' | 'report' | 'settings' | 'run'
  key: string
  title: string
}

export type Kind =
  | 'list'
  | 'get'
  | 'create'
  | 'update'
  | 'delete'
  | 'action'
  | 'bulk'
  | 'report'
  | 'cards'
  | 'settings'
  | 'run'
  | 'hidden'

export interface Operation {
  id: string
  method: string
  path: string
  kind: Kind
  title: string
  help?: string
  deprecated?: boolean
  parameters?: Parameter[]
  body?: Body
  answer?: Answer
  danger?: '' | 'confirm' | 'irreversible'
  guard: Guard
  when?: Record<string, Value[]>
}

export interface Guard {
  roles?: string[]
  reason?: boolean
  approval?: number
  limit?: number
}

export interface Parameter extends Field {
  in: 'path' | 'query' | 'header'
  explode?: boolean
}

export interface Body {
  media: string
  required?: boolean
  schema: Field
}

export interface Answer {
  status: number
  media?: string
  schema?: Field
}

export type Type = 'string' | 'integer' | 'number' | 'boolean' | 'object' | 'array' | 'any'

export interface Field {
  name?: string
  title: string
  help?: string
  type: string
  format?: string
  required?: boolean
  nullable?: boolean
  read_only?: boolean
  write_only?: boolean
  deprecated?: boolean
  sensitive?: boolean
  choices?: Choice[]
  default?: Value
  example?: Value
  minimum?: Value
  maximum?: Value
  exclusive_minimum?: boolean
  exclusive_maximum?: boolean
  multiple_of?: Value
  min_length?: number
  max_length?: number
  pattern?: string
  min_items?: number
  max_items?: number
  media?: string
  items?: Field
  fields?: Field[]
  rest?: Field
  variants?: Variant[]
  switch?: string
  again?: string
  ref?: Ref
  chart?: Chart
}

export interface Choice {
  value: Value
  title: string
  tone?: string
}

export interface Variant {
  value?: string
  title: string
  field: Field
}

export interface Ref {
  service?: string
  resource: string
}

export interface Resource {
  key: string
  title: string
  singular: string
  help?: string
  parent?: string
  list: string
  get?: string
  create?: string
  update?: string
  delete?: string
  row_actions?: string[]
  list_actions?: string[]
  bulk?: Many[]
  tabs?: Tab[]
  opens?: string
  id?: string
  keys?: Record<string, string>
  display?: string
  columns: string[]
  row: Field
  record?: Field
  record_at?: string
  filters?: Filter[]
  search?: string
  sort?: Sort
  paging: Paging
  rows: string
  each?: string
  allow?: string
}

export interface Many {
  operation: string
  ids: string
}

export interface Tab {
  title: string
  resource?: string
  get?: string
}

export interface Filter {
  title: string
  param?: string
  from?: string
  to?: string
  field: Field
}

export interface Sort {
  param: string
  style: 'minus' | 'word' | 'comma' | 'plain' | 'values'
  by?: SortChoice[]
  direction?: string
}

export interface SortChoice {
  column?: string
  value: string
  title: string
}

export interface Paging {
  style: 'none' | 'page' | 'offset' | 'cursor'
  param?: string
  size?: string
  size_usual?: number
  size_most?: number
  first?: number
  next?: string
  more?: string
  total?: string
}

export interface Report {
  key: string
  operation: string
  title: string
  rows?: string
  chart?: Chart
  from?: string
  to?: string
}

export interface Settings {
  key: string
  title: string
  get: string
  update: string
}

export interface Card {
  key: string
  operation: string
  title: string
  pointer: string
  field: Field
  chart: Chart
  from?: string
  to?: string
}

export interface Chart {
  type: string
  x?: string
  y?: string
  by?: string
  previous?: string
  target?: string
}

export type ServiceState = 'ready' | 'loading' | 'unreachable' | 'invalid' | 'undocumented'

/** One of `GET /screens`. */
export interface Listed {
  name: string
  title: string
  base: string
  state: ServiceState
  detail?: string
  fetched_at?: number
  version?: string
  pending?: number
}

/** Why an operation may not be run by this person now. */
export interface Refused {
  code: string
  roles?: string[]
}

/** `GET /screens/{service}` */
export interface Screens {
  service: Service
  base: string
  state: ServiceState
  detail?: string
  fetched_at?: number
  /** Whether this person may export the service's lists. */
  export?: boolean
  refused: Record<string, Refused>
}
