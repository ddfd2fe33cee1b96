import {
  ArcElement,
  BarController,
  BarElement,
  CategoryScale,
  Chart,
  type ChartConfiguration,
  DoughnutController,
  Filler,
  Legend,
  LinearScale,
  LineController,
  LineElement,
  PointElement,
  Tooltip,
} from 'chart.js'
import type { Figures } from '../../backoffice/figures'

Chart.register(ArcElement, BarController, BarElement, CategoryScale, DoughnutController, Filler)
Chart.register(Legend, LinearScale, LineController, LineElement, PointElement, Tooltip)

export interface Look {
  type: string
  language: string
  small: boolean
}

export interface Drawing {
  destroy: () => void
}

const names = ['--chart-1', '--chart-2', '--chart-3', '--chart-4', '--chart-5', '--chart-6']

function colours(element: Element) {
  const style = getComputedStyle(element)
  const of = (name: string) => style.getPropertyValue(name).trim()
  return {
    series: names.map(of),
    line: of('--line'),
    text: of('--text-soft'),
    surface: of('--surface'),
    font: style.fontFamily,
  }
}

/** Draws figures onto a canvas, in the colours and the type of the page. */
export function draw(canvas: HTMLCanvasElement, figures: Figures, look: Look): Drawing {
  return new Chart(canvas, configOf(figures, look, colours(canvas)))
}

function configOf(
  figures: Figures,
  { type, language, small }: Look,
  paint: ReturnType<typeof colours>,
): ChartConfiguration {
  const round = type === 'donut'
  const lying = type === 'top'
  const kind = round ? 'doughnut' : type === 'line' ? 'line' : 'bar'
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 2 })
  const short = new Intl.NumberFormat(language, { notation: 'compact', maximumFractionDigits: 1 })
  const many = figures.series.length > 1
  const ticks = { color: paint.text, font: { family: paint.font, size: 12 }, maxRotation: 0, autoSkipPadding: 16 }
  const values = { beginAtZero: true, grid: { color: paint.line }, border: { display: false } }
  const places = { grid: { display: false }, border: { color: paint.line }, ticks: { ...ticks, autoSkip: !lying } }
  const heights = {
    ...values,
    ticks: { ...ticks, maxTicksLimit: small ? 4 : 7, callback: (value: unknown) => short.format(Number(value)) },
  }
  return {
    type: kind,
    data: { labels: figures.labels, datasets: datasetsOf(figures, kind, paint) },
    options: {
      responsive: true,
      maintainAspectRatio: false,
      animation: false,
      indexAxis: lying ? 'y' : 'x',
      interaction: { mode: round ? 'nearest' : 'index', intersect: round },
      plugins: {
        legend: {
          display: many || round,
          position: round ? 'right' : 'bottom',
          labels: { color: paint.text, boxWidth: 10, boxHeight: 10, font: { family: paint.font } },
        },
        tooltip: {
          bodyFont: { family: paint.font },
          titleFont: { family: paint.font },
          callbacks: { label: ({ dataset, raw }) => `${dataset.label ?? ''} ${number.format(Number(raw))}` },
        },
      },
      ...(round ? {} : { scales: lying ? { x: heights, y: places } : { x: places, y: heights } }),
    },
  } as ChartConfiguration
}

function datasetsOf(figures: Figures, kind: string, paint: ReturnType<typeof colours>) {
  return figures.series.map(({ name, values }, i) => {
    const colour = paint.series[i % paint.series.length] as string
    const before = name.startsWith('↺ ')
    if (kind === 'doughnut')
      return { label: name, data: values, backgroundColor: paint.series, borderColor: paint.surface }
    const line = {
      borderColor: colour,
      borderWidth: 2,
      pointRadius: values.length > 40 ? 0 : 2,
      tension: 0.25,
      borderDash: before ? [5, 4] : [],
    }
    return {
      label: name,
      data: values,
      backgroundColor: kind === 'line' ? 'transparent' : colour,
      ...(kind === 'line' ? line : { borderRadius: 4, maxBarThickness: 36 }),
    }
  })
}
