import { expect, test } from 'vitest'
import { signInAddress } from '../src/api/sign-in'
import { signInPage } from '../src/router'
import { readHint } from '../src/session/hint'
import { safeReturnPath } from '../src/session/return-path'
import type { State } from '../src/session/types'

test.each(['/', '/people', '/people?search=a%20b#top', '/sign-inn', '/a//b'])('%s leads back', (path) => {
  expect(safeReturnPath(path)).toBe(path)
})

test.each([
  ['another host', '//evil.example'],
  ['another host, with the other slash', '/\\evil.example'],
  ['a tab that browsers drop', '/\t/evil.example'],
  ['a line feed that browsers drop', '/\n/evil.example'],
  ['a whole address', 'https://evil.example/'],
  ['script', 'javascript:alert(1)'],
  ['no slash', 'people'],
  ['dots that climb to another host', '/..//evil.example'],
  ['back to the sign-in page', '/sign-in?return_to=/'],
  ['back into a sign-in', '/sign-in/staff'],
  ['nothing', ''],
  ['two of them', ['/a', '/b']],
  ['none', undefined],
])('%s does not: home instead', (_, path) => {
  expect(safeReturnPath(path)).toBe('/')
})

test('the way back survives in the address of the provider', () => {
  const address = new URL(signInAddress('staff', '/people?search=a&b=c'), 'https://office.example')
  expect(address.pathname).toBe('/sign-in/staff')
  expect(address.searchParams.get('app')).toBe('console')
  expect(address.searchParams.get('return_to')).toBe('/people?search=a&b=c')
})

const nobody: State = { status: 'anonymous', account: null, live: null, checkedAt: null, end: null, trouble: null }

test('whoever is signed out comes to the sign-in page with the reason and the way back', () => {
  const ended = { ...nobody, end: { code: 'session_revoked' } }
  expect(signInPage(ended, '/people')).toEqual({
    path: '/sign-in',
    query: { reason: 'session_revoked', return_to: '/people' },
  })
})

test('whoever signs out goes nowhere afterwards, and whoever just arrives gets no reason', () => {
  expect(signInPage({ ...nobody, end: { code: 'session_signed_out' } }, '/people')).toEqual({
    path: '/sign-in',
    query: { reason: 'session_signed_out' },
  })
  expect(signInPage(nobody, '/')).toEqual({ path: '/sign-in', query: {} })
})

test('the hint of the realm is found among other cookies', () => {
  const cookies = 'a=1; munjigi-members-hint=m.3; munjigi-staff-hint=s-1_x.12; munjigi-staff-hints=no.1'
  expect(readHint(cookies, 'staff')).toEqual({ sid: 's-1_x', generation: 12 })
  expect(readHint(cookies, null)).toEqual({ sid: 'm', generation: 3 })
})

test.each(['', 'munjigi-staff-hint=', 'munjigi-staff-hint=sid', 'munjigi-staff-hint=.3', 'munjigi-members-hint=m.1'])(
  'no hint in "%s"',
  (cookies) => {
    expect(readHint(cookies, 'staff')).toBeNull()
  },
)
