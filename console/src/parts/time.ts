type Unit = 'second' | 'minute' | 'hour' | 'day' | 'month' | 'year'

// From which distance on a unit is spoken in, and its length, both in seconds.
const steps: readonly [from: number, length: number, unit: Unit][] = [
  [31_536_000, 31_536_000, 'year'],
  [2_592_000, 2_592_000, 'month'],
  [86_400, 86_400, 'day'],
  [3600, 3600, 'hour'],
  [60, 60, 'minute'],
  [0, 1, 'second'],
]

/** "3 minutes ago", "in 7 days"; `at` and `now` in seconds since 1970. Less than five seconds away is "now". */
export function relativeTime(at: number, now: number, language: string): string {
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto' })
  const distance = at - now
  const size = Math.abs(distance)
  if (size < 5) return format.format(0, 'second')
  const [, length, unit] = steps.find(([from]) => size >= from) ?? [0, 1, 'second' as Unit]
  return format.format(Math.trunc(distance / length), unit)
}

/** The same moment in full, in the browser's time zone. */
export function fullTime(at: number, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'long', timeStyle: 'medium' }).format(at * 1000)
}
