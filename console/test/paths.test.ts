import { expect, test } from 'vitest'
import { signInAddress } from '../src/api/sign-in'
import { placeOf, signInPage } from '../src/session/place'
import { safeReturnPath } from '../src/session/return-path'
import { hintedSession } from '../src/session/use-arrival'

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

const office = 'https://office.example'
const served = { realm: 'staff', app: 'console' }
const at = (path: string, storage: Record<string, string> = {}, written = served) =>
  placeOf(new URL(path, office), written, { getItem: (key) => storage[key] ?? null })

test('whoever is signed out comes to the sign-in page with the reason and the way back', () => {
  expect(signInPage(at('/people'), 'session_revoked', '/people')).toBe(
    '/sign-in?reason=session_revoked&return_to=%2Fpeople',
  )
})

test('whoever signs out goes nowhere afterwards, and whoever just arrives gets no reason', () => {
  expect(signInPage(at('/people'), 'session_signed_out', '/people')).toBe('/sign-in?reason=session_signed_out')
  expect(signInPage(at('/'), undefined, '/')).toBe('/sign-in')
})

test("members come to their realm's sign-in page, and back to their account", () => {
  const page = new URL(
    signInPage(at('/account/members?app=shop'), 'session_replaced', '/account/members?app=shop'),
    office,
  )
  expect(page.pathname).toBe('/sign-in/members')
  expect(Object.fromEntries(page.searchParams)).toEqual({
    reason: 'session_replaced',
    app: 'shop',
    return_to: `${office}/account/members?app=shop`,
  })
  const out = new URL(signInPage(at('/account/members'), 'session_signed_out', '/account/members'), office)
  expect(out.searchParams.get('return_to')).toBe(`${office}/account/members`)
})

test.each([
  ['the console', '/people', {}, served, { realm: 'staff', app: 'console', members: false }],
  ['its sign-in page', '/sign-in?app=shop', {}, served, { realm: 'staff', app: 'console', members: false }],
  [
    'the app that the address names',
    '/sign-in/members?app=retail',
    { 'munjigi-app-members': 'shop' },
    served,
    { realm: 'members', app: 'retail', members: true },
  ],
  [
    'the app of the last time',
    '/account/members',
    { 'munjigi-app-members': 'shop' },
    { realm: 'members', app: 'a' },
    { realm: 'members', app: 'shop', members: true },
  ],
  [
    "the server's proposal",
    '/sign-in/members/forgotten',
    {},
    { realm: 'members', app: 'a' },
    { realm: 'members', app: 'a', members: true },
  ],
  ['no app at all', '/account/members', {}, { realm: '', app: '' }, { realm: 'members', app: 'none', members: true }],
  ['an address that no realm has', '/sign-in/%E0%A4', {}, served, { realm: '%E0%A4', app: 'console', members: true }],
])('the place of a page: %s', (_, path, storage, written, want) => {
  expect(at(path, storage as Record<string, string>, written)).toEqual({ ...want, origin: office })
})

test('storage that is forbidden is no error', () => {
  const forbidden = {
    getItem() {
      throw new DOMException('no', 'SecurityError')
    },
  }
  expect(placeOf(new URL('/account/members', office), { realm: 'members', app: 'shop' }, forbidden).app).toBe('shop')
})

test('the hint of the realm is found among other cookies', () => {
  const cookies = 'a=1; munjigi-members-hint=m.3; munjigi-staff-hint=s-1_x.12; munjigi-staff-hints=no.1'
  expect(hintedSession(cookies, 'staff')).toBe('s-1_x')
  expect(hintedSession(cookies, 'members')).toBe('m')
  expect(hintedSession(cookies, 'others')).toBe('')
  expect(hintedSession('', 'staff')).toBe('')
})
