// Puts the pictures that the long run of backoffice-looks.test.mjs took together, a sheet for each screen in its eight
// looks, into docs/screens.

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { launch } from './browser-page.mjs'

const from = fileURLToPath(new URL('../test-results/console/', import.meta.url))
const to = fileURLToPath(new URL('../docs/screens/', import.meta.url))
const looks = ['ko-light', 'ko-dark', 'en-light', 'en-dark']

/** Draws wide and narrow pictures side by side; what is below the first screenful is left out. */
async function drawn(/** @type {{ wide: string[], narrow: string[] }} */ pictures) {
  const [gap, wide, tall, narrow] = [10, 700, 437, 202]
  const canvas = document.createElement('canvas')
  canvas.width = 2 * wide + 2 * narrow + 5 * gap
  canvas.height = 2 * tall + 3 * gap
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'))
  pen.imageSmoothingQuality = 'high'
  pen.fillStyle = '#8a8f98'
  pen.fillRect(0, 0, canvas.width, canvas.height)
  const place = async (/** @type {string} */ source, /** @type {number[]} */ [x = 0, y = 0, width = 0]) => {
    const image = new Image()
    image.src = source
    await image.decode()
    const shown = Math.min(image.height, (tall / width) * image.width)
    pen.drawImage(image, 0, 0, image.width, shown, x, y, width, (shown / image.width) * width)
  }
  for (const [i, source] of pictures.wide.entries())
    await place(source, [gap + (i % 2) * (wide + gap), gap + Math.floor(i / 2) * (tall + gap), wide])
  for (const [i, source] of pictures.narrow.entries())
    await place(source, [3 * gap + 2 * wide + (i % 2) * (narrow + gap), gap + Math.floor(i / 2) * (tall + gap), narrow])
  return canvas.toDataURL('image/webp', 0.72)
}

const all = await readdir(from)
const screens = new Set(all.flatMap((name) => /^office-(.+)-ko-light-1440\.png$/.exec(name)?.[1] ?? []))
const browser = await launch()
try {
  await mkdir(to, { recursive: true })
  const page = await browser.newPage()
  const read = async (/** @type {string} */ name) =>
    `data:image/png;base64,${(await readFile(`${from}office-${name}.png`)).toString('base64')}`
  for (const screen of screens) {
    const wide = await Promise.all(looks.map((look) => read(`${screen}-${look}-1440`)))
    const narrow = await Promise.all(looks.map((look) => read(`${screen}-${look}-360`)))
    const sheet = await page.evaluate(drawn, { wide, narrow })
    await writeFile(`${to}${screen}.webp`, Buffer.from(sheet.split(',')[1] ?? '', 'base64'))
    process.stdout.write(`docs/screens/${screen}.webp\n`)
  }
} finally {
  await browser.close()
}
