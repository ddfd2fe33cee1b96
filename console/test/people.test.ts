import { expect, test } from 'vitest'
import type { ListedSession } from '../src/api/admin'
import { listSessions, revokeAccount } from '../src/api/admin'
import { deviceIcon } from '../src/parts/device-icon'
import { groupByPerson } from '../src/screens/people/group'
import { nameOf } from '../src/shell/name-of'

function listed(id: string, account: string, checkedAt?: number): ListedSession {
  const times = { started_at: 1, renewed_at: 2, ends_at: 3, ...(checkedAt ? { checked_at: checkedAt } : {}) }
  return { id, account: { id: account, realm: 'staff', roles: [] }, app: 'console', device: '', from: '', ...times }
}

test("a person's sessions stand together, in the order of the list, also when pages part them", () => {
  const people = groupByPerson([listed('1', 'a', 10), listed('2', 'b'), listed('3', 'a', 30)])
  expect(people.map((person) => [person.account.id, person.checkedAt, person.sessions.map(({ id }) => id)])).toEqual([
    ['a', 30, ['1', '3']],
    ['b', null, ['2']],
  ])
})

test('ids are escaped in paths', async () => {
  const paths: string[] = []
  const call = (async (path: string) => {
    paths.push(path)
    return { ended: 2, sessions: [], next: '' }
  }) as never
  expect(await revokeAccount(call, 'a/../b')).toBe(2)
  await listSessions(call, { search: 'a&b', after: '' })
  await listSessions(call, { search: '', after: '' })
  expect(paths).toEqual(['/admin/accounts/a%2F..%2Fb/sessions', '/admin/sessions?search=a%26b', '/admin/sessions'])
})

test('somebody is called by the best name there is', () => {
  expect(nameOf({ id: '1', email: 'a@b', name: 'Kim' })).toBe('Kim')
  expect(nameOf({ id: '1', email: 'a@b', name: '' })).toBe('a@b')
  expect(nameOf({ id: '1' })).toBe('1')
})

test.each([
  ['Safari on iPhone', 'phone'],
  ['Chrome on Android', 'phone'],
  ['Chrome on Windows', 'laptop'],
  ['Unknown device', 'globe'],
])('%s is drawn as a %s', (device, icon) => {
  expect(deviceIcon(device)).toBe(icon)
})
