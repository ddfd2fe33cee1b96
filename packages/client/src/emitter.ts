/** Listeners that run after the change that they are told of, each by itself: none can hold up or break the session. */
export function emitter() {
  const listeners = new Set<readonly [event: string, listener: (detail: never) => void]>()

  function on(event: string, listener: (detail: never) => void): () => void {
    const one = [event, listener] as const
    listeners.add(one)
    return () => listeners.delete(one)
  }

  function emit(event: string, detail: unknown): void {
    for (const one of listeners)
      if (one[0] === event) queueMicrotask(() => listeners.has(one) && one[1](detail as never))
  }

  return [on, emit, listeners] as const
}
