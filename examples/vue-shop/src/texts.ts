import { ref, watchEffect } from 'vue'
import en from './locales/en.json'
import ko from './locales/ko.json'

export type Language = 'ko' | 'en'
export type Texts = typeof en

const all: Record<Language, Texts> = { ko, en }

/** The language of the page: what was chosen, else the browser's, else English. */
export const language = ref<Language>(chosen())

watchEffect(() => {
  document.documentElement.lang = language.value
})

function chosen(): Language {
  const wanted = [new URLSearchParams(location.search).get('lang'), localStorage.getItem('language')]
  const known = [...wanted, ...navigator.languages].map((tag) => tag?.slice(0, 2))
  return known.find((tag) => tag === 'ko' || tag === 'en') === 'ko' ? 'ko' : 'en'
}

export function choose(next: Language): void {
  language.value = next
  localStorage.setItem('language', next)
}

/** The sentences in the page's language. */
export const texts = (): Texts => all[language.value]

/** Fills {names} in. */
export function fill(sentence: string, values: Record<string, string | number>): string {
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole))
}

export function number(n: number): string {
  return n.toLocaleString(language.value)
}

/** A time of day; `at` is in seconds. */
export function clock(at: number): string {
  const time = new Date(at * 1000)
  return time.toLocaleTimeString(language.value, { hour: 'numeric', minute: '2-digit' })
}

/** The sentence for a code of the protocol, or of the client. */
export function sentence(code: string): string {
  const codes: Record<string, string> = texts().code
  return Object.hasOwn(codes, code) ? (codes[code] as string) : texts().code.other
}
