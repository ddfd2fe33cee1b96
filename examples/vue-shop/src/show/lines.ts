/** One request that was made since the page was loaded; times are of `performance.now`, 0 = not yet. */
export interface Line {
  sent: number
  done: number
  good: boolean
}

/** What the picture draws. It is plain data: a thousand calls at once should not make anything reactive run. */
export const lines = {
  began: performance.now(),
  calls: [] as Line[],
  renewals: [] as Line[],
  /** How many parts of the page have been answered, or have failed. */
  settled: 0,

  begin(): void {
    lines.began = performance.now()
    lines.calls = []
    lines.renewals = []
    lines.settled = 0
  },

  add(renewal: boolean): Line {
    const line = { sent: performance.now(), done: 0, good: true }
    const list = renewal ? lines.renewals : lines.calls
    list.push(line)
    return line
  },
}
