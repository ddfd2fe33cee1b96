/** One row that an action is run over, and what came of it. */
export interface Item<T> {
  subject: T
  state: 'waiting' | 'running' | 'done' | 'failed' | 'skipped'
  error?: unknown
}

export interface Run<T> {
  perform: (subject: T) => Promise<void>
  /** Told after each step, for what is shown. */
  changed: () => void
  stopped: () => boolean
  /** Rows at the same time: few, so that a service is not flooded. */
  width?: number
}

/** Runs an action over rows, some at once. A failure stops nothing else; one that is asked to stop leaves the rest. */
export async function runOver<T>(items: Item<T>[], { perform, changed, stopped, width = 4 }: Run<T>): Promise<void> {
  const waiting = items.filter(({ state }) => state === 'waiting')
  let place = 0
  async function worker(): Promise<void> {
    while (place < waiting.length && !stopped()) {
      const item = waiting[place++] as Item<T>
      item.state = 'running'
      changed()
      try {
        await perform(item.subject)
        item.state = 'done'
      } catch (error) {
        item.state = 'failed'
        item.error = error
      }
      changed()
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, waiting.length) }, worker))
}

/** Puts the failed ones back into the queue. */
export function again<T>(items: Item<T>[]): void {
  for (const item of items) {
    if (item.state !== 'failed') continue
    item.state = 'waiting'
    delete item.error
  }
}

export function countOf<T>(items: Item<T>[], ...states: Item<T>['state'][]): number {
  return items.filter(({ state }) => states.includes(state)).length
}

/** Parts of at most so many. */
export function partsOf<T>(list: T[], size: number): T[][] {
  if (size <= 0) return list.length ? [list] : []
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) => list.slice(i * size, (i + 1) * size))
}
