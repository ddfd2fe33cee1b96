import { useSession } from '@munjigi/client/vue'
import { useI18n } from 'vue-i18n'
import { signOut } from '../session/sign-out'
import { useMessages } from './use-messages'

/** Signs out here, and says so when the server has not heard of it yet. */
export function useLeave() {
  const { session } = useSession()
  const { t } = useI18n()
  const { messageOf } = useMessages()
  return async (options: { everywhere?: boolean } = {}): Promise<void> => {
    try {
      if (!(await signOut(session, options))) await say(t('menu.signOutLater'), 'warning')
    } catch (error) {
      await say(messageOf(error), 'error')
    }
  }
}

// Seldom needed, so not loaded before.
async function say(message: string, type: 'warning' | 'error'): Promise<void> {
  const { ElMessage } = await import('element-plus/es/components/message/index')
  ElMessage({ message, type })
}
