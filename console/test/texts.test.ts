import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { chooseLanguage, createTexts } from '../src/locales'
import en from '../src/locales/en.json'
import ko from '../src/locales/ko.json'
import { fullTime, relativeTime } from '../src/parts/time'

type Tree = { [key: string]: string | Tree }

function leaves(tree: Tree, path = ''): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'string' ? [[`${path}${key}`, value] as [string, string]] : leaves(value, `${path}${key}.`),
  )
}

function holes(text: string): string[] {
  return [...new Set(text.match(/\{\w+\}/g) ?? [])].sort()
}

// The protocol's list of codes with their sentences, as the server has them.
function goCodes(): Map<string, { en: string; ko: string }> {
  const read = (name: string) => readFileSync(new URL(`../../internal/fault/${name}`, import.meta.url), 'utf8')
  const names = new Map([...read('fault.go').matchAll(/^\t(\w+)\s+Code = "(\w+)"/gm)].map((m) => [m[1], m[2]]))
  const rows = read('code.go').matchAll(/^\t(\w+):\s+\{\d+, ("(?:[^"\\]|\\.)*"), ("(?:[^"\\]|\\.)*")\}/gm)
  const codes = new Map<string, { en: string; ko: string }>()
  for (const [, name, inEnglish, inKorean] of rows) {
    codes.set(names.get(name) ?? '', { en: JSON.parse(inEnglish ?? ''), ko: JSON.parse(inKorean ?? '') })
  }
  expect(codes.size).toBe(names.size)
  return codes
}

test('every code of the protocol has its sentence here, in both languages, the same as the server says', () => {
  const codes = goCodes()
  expect(codes.size).toBeGreaterThan(30)
  expect(en.code).toEqual(Object.fromEntries([...codes].map(([code, text]) => [code, text.en])))
  expect(ko.code).toEqual(Object.fromEntries([...codes].map(([code, text]) => [code, text.ko])))
})

test('both languages have the same texts with the same holes', () => {
  const korean = new Map(leaves(ko))
  expect([...korean.keys()].sort()).toEqual(
    leaves(en)
      .map(([key]) => key)
      .sort(),
  )
  for (const [key, text] of leaves(en)) {
    // A singular may leave its number out.
    expect(holes(korean.get(key) ?? ''), key).toEqual(holes(text))
  }
})

test('every text is used', () => {
  const folder = new URL('../src/', import.meta.url)
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(vue|ts)$/.test(name))
    .map((name) => readFileSync(new URL(name, folder), 'utf8'))
    .join('\n')
  const chosenAtRunTime = /^(code|member|local|language|theme|wrong|service)\./
  const unused = leaves(en).filter(
    ([key]) => !chosenAtRunTime.test(key) && !new RegExp(`['"\`]${key}['"\`]`).test(sources),
  )
  expect(unused).toEqual([])
})

test('every text compiles', () => {
  for (const language of ['ko', 'en'] as const) {
    const { t } = createTexts(language, language === 'ko' ? ko : en).global
    for (const [key, text] of leaves(language === 'ko' ? ko : en)) {
      const values = Object.fromEntries(holes(text).map((hole) => [hole.slice(1, -1), 'X']))
      expect(t(key, values), key).not.toMatch(/[{}]|^$/)
    }
  }
})

test('numbers are spoken as the language does', () => {
  const english = createTexts('en', en).global
  expect(english.t('wave.confirmTitle', { n: 1 }, 1)).toBe('Cut off 1 person?')
  expect(english.t('wave.confirmTitle', { n: 15 }, 15)).toBe('Cut off 15 people?')
  expect(createTexts('ko', ko).global.t('wave.confirmTitle', { n: 1 }, 1)).toBe('1명을 차단할까요?')
})

test.each([
  ['what was chosen before', 'en', ['ko-KR'], 'en'],
  ["the browser's first that we speak", null, ['fr-FR', 'ko-KR', 'en'], 'ko'],
  ['English before Korean', null, ['en-US', 'ko'], 'en'],
  ['English when none is', null, ['fr'], 'en'],
  ['a remembered one that we do not speak is no choice', 'xx', ['ko'], 'ko'],
] as const)('language: %s', (_, remembered, preferred, want) => {
  expect(chooseLanguage(remembered, preferred)).toBe(want)
})

test.each([
  [0, 'now', '지금'],
  [4, 'now', '지금'],
  [12, '12 seconds ago', '12초 전'],
  [119, '1 minute ago', '1분 전'],
  [7199, '1 hour ago', '1시간 전'],
  [3 * 86_400, '3 days ago', '3일 전'],
  [-7 * 86_400, 'in 7 days', '7일 후'],
])('%s seconds ago in words', (ago, english, korean) => {
  expect(relativeTime(1_000_000_000 - ago, 1_000_000_000, 'en')).toBe(english)
  expect(relativeTime(1_000_000_000 - ago, 1_000_000_000, 'ko')).toBe(korean)
})

test('a moment in full names the year', () => {
  expect(fullTime(1_790_000_000, 'ko')).toContain('2026년')
})
