import type { Field, Operation, Resource, Screens } from '../../src/backoffice/types'

// A shop-like service as the server would tell it, written by hand: every kind of screen once.

const text = (name: string, title: string, more: Partial<Field> = {}): Field => ({
  name,
  title,
  type: 'string',
  ...more,
})
const whole = (name: string, title: string, more: Partial<Field> = {}): Field => ({
  name,
  title,
  type: 'integer',
  ...more,
})

export const status = text('status', 'Status', {
  choices: [
    { value: 'paid', title: 'Paid', tone: 'good' },
    { value: 'shipped', title: 'Shipped' },
    { value: 'refunded', title: 'Refunded', tone: 'bad' },
  ],
})

export const order: Field = {
  title: 'Order',
  type: 'object',
  fields: [
    whole('id', 'Number', { format: 'int64', read_only: true }),
    text('shop_id', 'Shop', { ref: { resource: 'shops' } }),
    status,
    whole('amount', 'Amount', { format: 'money:currency' }),
    text('currency', 'Currency'),
    text('ordered_at', 'Ordered', { format: 'date-time' }),
    text('phone', 'Phone', { sensitive: true }),
    text('note', 'Note', { nullable: true }),
    { name: 'paid', title: 'Paid', type: 'boolean' },
    { name: 'tags', title: 'Tags', type: 'array', items: { title: '', type: 'string' } },
    {
      name: 'address',
      title: 'Address',
      type: 'object',
      fields: [text('city', 'City', { required: true }), text('street', 'Street')],
    },
  ],
}

const operation = (id: string, method: string, path: string, more: Partial<Operation> = {}): Operation => ({
  id,
  method,
  path,
  kind: 'get',
  title: id,
  guard: {},
  ...more,
})

const path = (name: string) => ({ in: 'path' as const, required: true, ...text(name, name) })
const query = (field: Field) => ({ in: 'query' as const, ...field })

export const listOrders = operation('listOrders', 'GET', '/orders', {
  kind: 'list',
  parameters: [
    query(text('q', 'Words')),
    query(status),
    query({ ...text('tag', 'Tag'), type: 'array' }),
    query(text('from', 'From', { format: 'date' })),
    query(text('to', 'To', { format: 'date' })),
    query(text('sort', 'Sort')),
    query(whole('page', 'Page')),
    query(whole('per_page', 'Rows')),
  ],
})

export const updateOrder = operation('updateOrder', 'PATCH', '/orders/{id}', {
  kind: 'update',
  title: 'Edit',
  parameters: [path('id')],
  body: {
    media: 'application/json',
    schema: { title: '', type: 'object', fields: (order.fields ?? []).filter((it) => it.name !== 'ordered_at') },
  },
})

export const refundOrder = operation('refundOrder', 'POST', '/orders/{id}/refund', {
  kind: 'action',
  title: 'Refund',
  danger: 'confirm',
  guard: { roles: ['editor'], reason: true },
  when: { status: ['paid', 'shipped'] },
  parameters: [path('id')],
  body: {
    media: 'application/json',
    schema: { title: '', type: 'object', fields: [whole('amount', 'Amount', { required: true, minimum: 1 })] },
  },
})

export const getOrder = operation('getOrder', 'GET', '/orders/{id}', { parameters: [path('id')] })

export const orders: Resource = {
  key: 'orders',
  title: 'Orders',
  singular: 'Order',
  list: 'listOrders',
  get: 'getOrder',
  update: 'updateOrder',
  row_actions: ['refundOrder'],
  id: 'id',
  keys: { id: 'id' },
  display: 'Order {id}',
  columns: ['id', 'shop_id', 'status', 'amount', 'ordered_at'],
  row: order,
  filters: [
    { title: 'Status', param: 'status', field: status },
    { title: 'Ordered', from: 'from', to: 'to', field: text('from', 'From', { format: 'date' }) },
  ],
  search: 'q',
  sort: { param: 'sort', style: 'minus' },
  paging: { style: 'page', param: 'page', size: 'per_page', size_usual: 20, size_most: 100, first: 1, total: '/total' },
  rows: '/items',
}

export const screens: Screens = {
  service: {
    name: 'shop',
    title: 'Shop',
    menu: [],
    resources: [orders],
    reports: [],
    settings: [],
    cards: [],
    operations: [listOrders, getOrder, updateOrder, refundOrder],
  },
  base: '/services/shop',
  state: 'ready',
  refused: { refundOrder: { code: 'role_missing', roles: ['editor'] } },
}
