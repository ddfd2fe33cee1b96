/** Listeners that run after the change that they are told of, each by itself: none can hold up or break the session. */
export function emitter() {
  const listeners = new Set<{ event: string; listener: (detail: never) => void }>()
  return {
    on(event: string, listener: (detail: never) => void): () => void {
      const one = { event, listener }
      listeners.add(one)
      return () => listeners.delete(one)
    },
    emit(event: string, detail: unknown): void {
      for (const one of [...listeners])
        if (one.event === event)
          Promise.resolve(detail as never)
            .then((it) => listeners.has(one) && one.listener(it))
            .catch((error) => globalThis.reportError?.(error))
    },
    clear: () => listeners.clear(),
  }
}
