import { queryText } from '../../backoffice/address'
import { before, dayOf, instantOf, isDay, lastDays, type Span } from '../../backoffice/days'
import type { Card, Operation } from '../../backoffice/types'

/** What the home page looks at: days, and whether beside the same number of days before. */
export interface Range {
  span: Span
  compare: boolean
}

export const presets = [1, 7, 28, 90] as const
const usual = 28

/** The range that an address asks for, else the last four weeks. */
export function readRange(query: Record<string, unknown>, today: string): Range {
  const { from, to, compare } = query
  const whole = isDay(from) && isDay(to) && from <= to
  return { span: whole ? { from, to } : lastDays(usual, today), compare: compare !== '0' }
}

/** The range for an address; the usual one needs no place in it. */
export function writeRange({ span, compare }: Range, today: string): Record<string, string> {
  const own = presetOf(span, today) !== usual
  return { ...(own ? { from: span.from, to: span.to } : {}), ...(compare ? {} : { compare: '0' }) }
}

/** How many days up to today a span is, if it is one of those that are offered. */
export function presetOf(span: Span, today: string): number | null {
  return presets.find((n) => same(lastDays(n, today), span)) ?? null
}

function same(a: Span, b: Span): boolean {
  return a.from === b.from && a.to === b.to
}

/** The path of a card's call for a span of days; cards that know no range are always asked the same. */
export function cardPath(card: Card, operation: Operation, span: Span): string {
  const parameters = operation.parameters ?? []
  const edge = (name: string | undefined, day: string, last: boolean) => {
    const field = parameters.find((it) => it.name === name)
    if (!name || !field) return {}
    return { [name]: field.format === 'date-time' ? instantOf(day, last) : day }
  }
  const values = { ...edge(card.from, span.from, false), ...edge(card.to, span.to, true) }
  return operation.path + queryText(parameters, values)
}

/** The call for the period before; null where there is none to compare with. */
export function pathBefore(card: Card, operation: Operation, { span, compare }: Range): string | null {
  return compare && card.from && card.to ? cardPath(card, operation, before(span)) : null
}

export function todayHere(): string {
  return dayOf(new Date())
}
