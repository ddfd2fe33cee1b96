import { ElMessage } from 'element-plus'
import { ref } from 'vue'
import { isOver } from '../session/call'
import { useMessages } from './use-messages'

/**
 * One deed at a time, with its state: asked (the dialog is open, about `subject`), busy, failed with a sentence. A
 * second click while it runs does nothing.
 */
export function useAction<T>(perform: (subject: T) => Promise<string | null>) {
  const { messageOf } = useMessages()
  const subject = ref<T | null>(null)
  const asked = ref(false)
  const busy = ref(false)
  const error = ref('')

  function ask(about: T): void {
    subject.value = about as never
    error.value = ''
    asked.value = true
  }

  async function run(): Promise<void> {
    if (busy.value || subject.value === null) return
    busy.value = true
    error.value = ''
    try {
      const done = await perform(subject.value as T)
      asked.value = false
      if (done) ElMessage({ message: done, type: 'success', grouping: true })
    } catch (cause) {
      // The session's end is told once, on the sign-in page.
      if (!isOver(cause)) error.value = messageOf(cause)
      else asked.value = false
    } finally {
      busy.value = false
    }
  }

  return { subject, asked, busy, error, ask, run }
}
