import type { Send } from '../session/call'
import { fileName } from './call'
import { refusalOf } from './trouble'

export interface Exported {
  blob: Blob
  name: string
  rows: number
}

const newline = 10
const quote = 34

/** Counts the rows of CSV that comes in pieces: line ends within quotes are none. */
export function createRowCounter() {
  let quoted = false
  let lines = 0
  let begun = false
  return {
    add(piece: Uint8Array): void {
      for (const byte of piece) {
        if (byte === quote) quoted = !quoted
        if (byte === newline && !quoted) {
          lines++
          begun = false
        } else begun = true
      }
    },
    /** Rows so far, without the heading. */
    rows: () => Math.max(0, lines + (begun ? 1 : 0) - 1),
  }
}

/** Fetches a whole list as CSV, told of its rows as they come. One that breaks off is thrown away: half is none. */
export async function exportList(
  send: Send,
  path: string,
  came: (rows: number, bytes: number) => void,
  signal: AbortSignal,
): Promise<Exported> {
  const response = await send(path, { headers: { Accept: 'text/csv' }, limit: 0, signal })
  if (!response.ok || !response.body) throw await refusalOf(response)
  const counter = createRowCounter()
  const pieces: BlobPart[] = []
  let bytes = 0
  const reader = response.body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    counter.add(value)
    pieces.push(value)
    bytes += value.length
    came(counter.rows(), bytes)
  }
  const name = fileName(response.headers.get('Content-Disposition'), `${path.split('?')[0]}.csv`)
  return { blob: new Blob(pieces, { type: 'text/csv' }), name, rows: counter.rows() }
}

/** Gives a file to the person. */
export function keep(blob: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}
