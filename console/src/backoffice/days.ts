// Days are those of the browser's time zone, written YYYY-MM-DD.

const two = (n: number) => String(n).padStart(2, '0')

/** The day of a moment. */
export function dayOf(moment: string | Date): string {
  const date = new Date(moment)
  return Number.isNaN(date.getTime()) ? '' : `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

/** A day's first instant, or its last second, as a moment with its zone. */
export function instantOf(day: string, last = false): string {
  const date = new Date(`${day}T${last ? '23:59:59' : '00:00:00'}`)
  return Number.isNaN(date.getTime()) ? '' : date.toISOString().replace('.000Z', 'Z')
}

export function addDays(day: string, n: number): string {
  const date = new Date(`${day}T12:00:00`)
  date.setDate(date.getDate() + n)
  return dayOf(date)
}

export interface Span {
  from: string
  to: string
}

/** How many days a span has, both ends counted. */
export function lengthOf({ from, to }: Span): number {
  return Math.round((Date.parse(`${to}T12:00:00Z`) - Date.parse(`${from}T12:00:00Z`)) / 86_400_000) + 1
}

/** The same number of days right before. */
export function before(span: Span): Span {
  const to = addDays(span.from, -1)
  return { from: addDays(to, 1 - lengthOf(span)), to }
}

/** The last so many days, today counted. */
export function lastDays(n: number, today: string): Span {
  return { from: addDays(today, 1 - n), to: today }
}

export function isDay(text: unknown): text is string {
  return typeof text === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(text) && dayOf(`${text}T12:00:00`) === text
}
