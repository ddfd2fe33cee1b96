// A mail server that takes every letter and delivers none: as much of SMTP (RFC 5321) as our program speaks.

import { once } from 'node:events'
import { createServer } from 'node:net'

/** @returns {Promise<{ port: number, letterTo: (address: string) => Promise<string>, close: () => void }>} */
export async function openSink() {
  /** @type {{ to: string, text: string }[]} */
  const letters = []
  const server = createServer((socket) => {
    let to = ''
    let data = /** @type {string[] | null} */ (null)
    let rest = ''
    const say = (/** @type {string} */ line) => socket.write(`${line}\r\n`)
    say('220 sink')
    socket.setEncoding('utf8').on('error', () => {})
    socket.on('data', (chunk) => {
      const lines = (rest + chunk).split('\r\n')
      rest = lines.pop() ?? ''
      for (const line of lines) hear(line)
    })

    /** @param {string} line */
    function hear(line) {
      if (data) {
        if (line !== '.') return data.push(line.replace(/^\./, ''))
        letters.push({ to, text: data.join('\n') })
        data = null
        server.emit('letter')
        return say('250 taken')
      }
      const verb = line.slice(0, 4).toUpperCase()
      if (verb === 'RCPT') to = /<(.+?)>/.exec(line)?.[1] ?? ''
      if (verb === 'DATA') data = []
      if (verb === 'EHLO') return say('250-sink\r\n250 8BITMIME')
      say(verb === 'DATA' ? '354 go on' : verb === 'QUIT' ? '221 bye' : '250 fine')
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())

  /** The next letter to an address, in plain text: its lines are put together again, and its characters told apart. */
  async function letterTo(/** @type {string} */ address) {
    for (;;) {
      const at = letters.findIndex(({ to }) => to === address)
      if (at >= 0) return plain(letters.splice(at, 1)[0]?.text ?? '')
      await once(server, 'letter', { signal: AbortSignal.timeout(20_000) })
    }
  }
  return { port, letterTo, close: () => server.close() }
}

/** What quoted-printable and base64 parts say. */
function plain(/** @type {string} */ letter) {
  const base64 = /Content-Transfer-Encoding: base64[\s\S]*?\n\n([A-Za-z0-9+/=\n]+)/i.exec(letter)?.[1]
  if (base64) return Buffer.from(base64, 'base64').toString()
  const joined = letter.replace(/=\n/g, '')
  return joined.replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
}
