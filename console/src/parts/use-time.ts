import { createGlobalState, useNow } from '@vueuse/core'
import { computed } from 'vue'
import { useI18n } from 'vue-i18n'
import { fullTime, relativeTime } from './time'

// One clock for the whole page, in whole seconds.
const useSeconds = createGlobalState(() => {
  const now = useNow({ interval: 1000 })
  return computed(() => Math.floor(now.value.getTime() / 1000))
})

/** Times in words, in the language of the page, kept current. */
export function useTime() {
  const seconds = useSeconds()
  const { locale } = useI18n()
  return {
    relative: (at: number) => relativeTime(at, seconds.value, locale.value),
    full: (at: number) => fullTime(at, locale.value),
  }
}
