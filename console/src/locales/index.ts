import { createI18n, type I18n } from 'vue-i18n'
import type en from './en.json'

export type Language = 'ko' | 'en'
export type Messages = typeof en

declare module 'vue-i18n' {
  export interface DefineLocaleMessage extends Messages {}
}

const storageKey = 'munjigi-language'

/** What was chosen here before, else the first of the browser's languages that we speak, else English. */
export function chooseLanguage(remembered: string | null, preferred: readonly string[]): Language {
  if (remembered === 'ko' || remembered === 'en') return remembered
  const known = preferred.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => tag === 'ko' || tag === 'en')
  return known === 'ko' ? 'ko' : 'en'
}

const files = { en: () => import('./en.json'), ko: () => import('./ko.json') }

/** The texts of one language: whoever reads Korean does not load the English ones. */
export async function loadMessages(language: Language): Promise<Messages> {
  return (await files[language]()).default
}

export function createTexts(language: Language, messages: Messages) {
  return createI18n<[Messages], Language, false>({
    legacy: false,
    locale: language,
    fallbackLocale: false,
    messages: { [language]: messages } as Record<Language, Messages>,
  })
}

export type Texts = ReturnType<typeof createTexts> & I18n

/** The language of this browser; storage may be forbidden, then nothing is remembered. */
export function browserLanguage(): Language {
  return chooseLanguage(stored(), navigator.languages)
}

function stored(): string | null {
  try {
    return localStorage.getItem(storageKey)
  } catch {
    return null
  }
}

export function rememberLanguage(language: Language): void {
  try {
    localStorage.setItem(storageKey, language)
  } catch {
    // Not remembered; the page is right all the same.
  }
}
