import { nextTick, type Ref, watch } from 'vue'

/** The header of a dialog at the end of the body would be the page's second banner to a screen reader. */
export function usePlainHeader(open: Ref<boolean>): void {
  watch(
    open,
    async (is) => {
      if (!is) return
      await nextTick()
      for (const it of document.querySelectorAll('.el-dialog__header')) it.setAttribute('role', 'presentation')
    },
    { immediate: true },
  )
}
