import { watchEffect } from 'vue'
import { useI18n } from 'vue-i18n'

/** The title of a page that is named after what is on it. */
export function usePageTitle(title: () => string): void {
  const { t } = useI18n()
  watchEffect(
    () => {
      document.title = [title(), t('app.name')].filter(Boolean).join(' · ')
    },
    { flush: 'post' },
  )
}
