import { language } from '../texts'
import type { Line, lines } from './lines'

type Lines = typeof lines

const top = 26 // room for the name of the session call
const bottom = 20 // and for the scale

/** Whether there is nothing more to see move. */
export function over({ calls, renewals, settled }: Lines, size: number): boolean {
  return settled >= size && [...calls, ...renewals].every(({ done }) => done)
}

/** Each part is a line, from left to right: it waits, then it calls. A session call is a band across all of them. */
export function draw(canvas: HTMLCanvasElement, all: Lines, size: number): void {
  const { began, calls, renewals } = all
  const pen = canvas.getContext('2d')
  const { width, height } = canvas.getBoundingClientRect()
  if (!pen || !width) return
  canvas.width = width * devicePixelRatio
  canvas.height = height * devicePixelRatio
  pen.scale(devicePixelRatio, devicePixelRatio)
  pen.clearRect(0, 0, width, height)

  const style = getComputedStyle(canvas)
  const colour = (name: string) => style.getPropertyValue(`--${name}`)
  const now = over(all, size) ? Math.max(began, ...[...calls, ...renewals].map(({ done }) => done)) : performance.now()
  const from = Math.min(began, ...renewals.map(({ sent }) => sent))
  const span = Math.max(120, (now - from) * 1.04)
  const x = (at: number) => ((at - from) / span) * width
  const end = ({ done }: Line) => x(done || now)
  const rows = height - top - bottom
  const each = rows / size
  const thick = Math.max(0.6, Math.min(10, each * (each > 3 ? 0.7 : 1)))

  for (const band of renewals) {
    pen.fillStyle = colour('key-soft')
    pen.fillRect(x(band.sent), 0, Math.max(3, end(band) - x(band.sent)), height - bottom)
  }
  for (let n = 0; n < size; n++) {
    const y = top + n * each + (each - thick) / 2
    const line = calls[n]
    pen.fillStyle = colour('wait')
    pen.fillRect(x(began), y, Math.max(0, (line ? x(line.sent) : x(now)) - x(began)), thick)
    if (!line) continue
    pen.fillStyle = colour(line.good ? 'good' : 'bad')
    pen.fillRect(x(line.sent), y, Math.max(2, end(line) - x(line.sent)), thick)
  }
  pen.font = `600 12px ${style.fontFamily}`
  pen.textBaseline = 'middle'
  for (const band of renewals) {
    pen.fillStyle = colour('key')
    pen.fillRect(x(band.sent), 0, Math.max(3, end(band) - x(band.sent)), 20)
    const text = `${seconds((band.done || now) - band.sent)}`
    const inside = pen.measureText(text).width + 14 < end(band) - x(band.sent)
    pen.fillStyle = colour(inside ? 'on-key' : 'key')
    pen.fillText(text, inside ? x(band.sent) + 7 : end(band) + 6, 10.5)
  }
  scale(pen, { width, height, span, colour: colour('soft'), font: style.fontFamily })
}

function scale(
  pen: CanvasRenderingContext2D,
  { width, height, span, colour, font }: { width: number; height: number; span: number; colour: string; font: string },
): void {
  const steps = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000]
  const step = steps.find((it) => span / it < width / 70) ?? 20_000
  pen.fillStyle = colour
  pen.font = `11px ${font}`
  for (let at = 0; at < span; at += step) {
    const left = (at / span) * width
    pen.fillRect(left, height - bottom, 1, 4)
    if (left < width - 34) pen.fillText(seconds(at), left + 3, height - 8)
  }
}

function seconds(milliseconds: number): string {
  const options = {
    maximumFractionDigits: milliseconds < 100 ? 2 : 1,
    style: 'unit',
    unit: 'second',
    unitDisplay: 'narrow',
  } as const
  return (milliseconds / 1000).toLocaleString(language.value, options)
}
