import { isNumber, isRow } from './exact'
import { at } from './pointer'
import { fieldOf } from './show'
import type { Card, Chart, Field, Row, Value } from './types'

export interface Series {
  name: string
  values: (number | null)[]
}

/** Figures ready to be drawn: a label for each place, and series with a value at each. */
export interface Figures {
  labels: string[]
  series: Series[]
}

/** A figure as a number; texts that are numbers count, since some services write their amounts so. */
export function figure(value: Value): number | null {
  if (!isNumber(value) && !(typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value))) return null
  return Number(value)
}

function isFigure(field: Field): boolean {
  return (field.type === 'integer' || field.type === 'number') && !field.ref
}

/** What of rows goes where: as the chart says, else the first moment or text for places, and every number for heights. */
export function axesOf(fields: Field[], chart: Chart | undefined): { x: string; ys: string[]; by: string } {
  const time = fields.find((it) => it.format === 'date' || it.format === 'date-time')
  const text = time ?? fields.find((it) => it.type === 'string') ?? fields[0]
  const x = chart?.x || text?.name || ''
  const by = chart?.by || ''
  const all = fields.filter((it) => isFigure(it) && it.name !== x && it.name !== by).map((it) => it.name ?? '')
  return { x, ys: chart?.y ? [chart.y] : all.slice(0, 4), by }
}

/** The series of rows. With `by` each of its values is a series of its own. */
export function figuresOf(
  rows: Row[],
  fields: Field[],
  chart: Chart | undefined,
  label: (field: Field | undefined, value: Value) => string,
): Figures {
  const { x, ys, by } = axesOf(fields, chart)
  const titleOf = (name: string) => fieldOf(fields, name)?.title ?? name
  if (!by) {
    const labels = rows.map((row) => label(fieldOf(fields, x), row[x]))
    return { labels, series: ys.map((y) => ({ name: titleOf(y), values: rows.map((row) => figure(row[y])) })) }
  }
  const labels = [...new Set(rows.map((row) => label(fieldOf(fields, x), row[x])))]
  const names = [...new Set(rows.map((row) => label(fieldOf(fields, by), row[by])))]
  const y = ys[0] ?? ''
  const found = new Map(
    rows.map((row) => [`${label(fieldOf(fields, by), row[by])}\n${label(fieldOf(fields, x), row[x])}`, figure(row[y])]),
  )
  return {
    labels,
    series: names.map((name) => ({ name, values: labels.map((it) => found.get(`${name}\n${it}`) ?? null) })),
  }
}

/** How figures are drawn when nobody says it: a line over time, bars for anything else. */
export function chartTypeOf(chart: Chart | undefined, fields: Field[]): string {
  if (chart?.type) return chart.type
  return fields.some((it) => it.format === 'date' || it.format === 'date-time') ? 'line' : 'bar'
}

/** How far a figure moved from the period before, as a share; null when there is nothing to compare with. */
export function changeSince(now: number | null, before: number | null): number | null {
  if (now === null || before === null || before === 0) return null
  return (now - before) / Math.abs(before)
}

/** Cards to be shown: a figure that another card compares itself with, or aims at, has its place there. */
export function shownCards(cards: Card[]): Card[] {
  const beside = new Set(
    cards.flatMap(({ operation, pointer, chart }) =>
      [chart.previous, chart.target]
        .filter(Boolean)
        .map((name) => `${operation} ${pointer.replace(/\/[^/]*$/, '')}/${name}`),
    ),
  )
  return cards.filter(({ operation, pointer }) => !beside.has(`${operation} ${pointer}`))
}

/** What a card shows of an answer: one figure, or rows. Undefined when the answer has no such thing. */
export interface Shown {
  value: Value
  previous: Value
  target: Value
  rows: Row[] | null
  /** What lies beside the value: the currency of an amount. */
  row: Row
}

export function shownOf(card: Card, answer: Value): Shown | null {
  const value = at(answer, card.pointer)
  if (value === undefined) return null
  const beside = at(answer, card.pointer.replace(/\/[^/]*$/, ''))
  const row = isRow(value) ? value : isRow(beside) ? beside : {}
  const rows = Array.isArray(value) ? value.filter(isRow) : null
  const { y, previous, target } = card.chart
  return {
    value: isRow(value) && y ? value[y] : value,
    previous: previous ? row[previous] : undefined,
    target: target ? row[target] : undefined,
    rows,
    row,
  }
}
