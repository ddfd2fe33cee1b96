import { type BasicColorMode, useColorMode } from '@vueuse/core'
import { computed, watchEffect } from 'vue'
import { useI18n } from 'vue-i18n'
import { type Language, loadMessages, rememberLanguage } from '../locales'

export type Theme = 'auto' | BasicColorMode

/** Language and appearance of this browser: chosen by the person, else taken from the system. */
export function usePreferences() {
  const { locale, setLocaleMessage } = useI18n()
  // Our policy admits no style element, which vueuse would add to suppress transitions.
  const { store } = useColorMode({ storageKey: 'munjigi-theme', disableTransition: false })

  async function choose(next: Language): Promise<void> {
    setLocaleMessage(next, await loadMessages(next))
    locale.value = next
    rememberLanguage(next)
  }

  const language = computed<Language>({
    get: () => (locale.value === 'ko' ? 'ko' : 'en'),
    set: (next) => void choose(next),
  })
  watchEffect(() => {
    document.documentElement.lang = language.value
  })
  return { language, theme: store }
}
