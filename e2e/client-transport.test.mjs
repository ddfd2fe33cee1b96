// What only a browser's own network can show: where redirects lead, and what axios does beside asking and answering.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { respond, run } from './client-town.mjs'
import { visitors } from './client-visitors.mjs'

const here = visitors()
const { atEase } = here
const bearer = /^Bearer ./

/** Refuses the first request as one whose person has to be asked for anew, and answers the next with `answer`. */
const refusedOnce = (answer) => {
  const bodies = /** @type {number[]} */ ([])
  return Object.assign(
    (req, res) => {
      let size = 0
      req.on('data', (part) => (size += part.length))
      req.on('end', () => {
        bodies.push(size)
        if (bodies.length > 1) answer(req, res)
        else respond(res, req, 401, '{"code":"token_stale_check","max_check_age":14000}', 'application/json')
      })
    },
    { bodies },
  )
}

describe('redirects', () => {
  for (const way of ['fetch', 'axios'])
    test(
      `redirect to other origin never carries Authorization: ${way}`,
      atEase(async ({ seen, tab }) => {
        const kept = /** @type {(string | undefined)[]} */ ([])
        seen.api = (req, res) => {
          if (req.url === '/api/away') return res.writeHead(302, { location: `${here.town.elsewhere}/api/x` }).end()
          if (req.url === '/api/home') return res.writeHead(302, { location: '/api/there' }).end()
          kept.push(req.headers.authorization)
          respond(res, req, 200, '{}', 'application/json')
        }
        const ask = (path) =>
          run(
            tab,
            way === 'fetch'
              ? `session.fetch('${path}').then((it) => it.status)`
              : `http.get('${path}').then((it) => it.status)`,
          )
        here.town.away.length = 0
        assert.equal(await ask('/api/away'), 200)
        assert.deepEqual(
          here.town.away.map(({ method, url, headers }) => [method, url, headers.authorization]),
          [['GET', '/api/x', undefined]],
        )
        const token = await run(tab, 'session.getToken()')
        assert.ok(token.length > 100)
        assert.ok(!here.town.away.some((it) => it.rawHeaders.join().includes(token)))
        // Within its origin it goes along, so that it would have been seen.
        assert.equal(await ask('/api/home'), 200)
        assert.equal(kept.length, 1)
        assert.match(kept[0] ?? '', bearer)
      }),
    )
})

describe('axios', () => {
  test(
    'onUploadProgress tells of the request that is sent again as of the first',
    atEase(async ({ seen, tab }) => {
      const size = 2_000_000
      const api = refusedOnce((req, res) => respond(res, req, 200, '{}', 'application/json'))
      seen.api = api
      const { status, told } = await run(
        tab,
        `(async () => {
          const told = []
          const onUploadProgress = ({ loaded, total }) => told.push([loaded, total])
          const { status } = await http.post('/api/up', new Blob([new Uint8Array(${size})]), { onUploadProgress })
          return { status, told }
        })()`,
      )
      assert.equal(status, 200)
      assert.deepEqual(api.bodies, [size, size])
      assert.ok(told.every(([loaded, total]) => loaded <= size && total === size))
      assert.equal(told.filter(([loaded]) => loaded === size).length, 2, JSON.stringify(told))
    }),
  )

  test(
    'responseType stream: renewed, sent again, and read as it comes',
    atEase(async ({ seen, tab }) => {
      let rest = () => {}
      const api = refusedOnce((_req, res) => {
        res.writeHead(200, { 'content-type': 'text/plain' }).write('first;')
        rest = () => res.end('last')
      })
      seen.api = api
      const first = `(async () => {
        const streams = axios.create({ adapter: 'fetch' })
        Munjigi.attachAxios(streams, session)
        const { status, data } = await streams.get('/api/stream', { responseType: 'stream' })
        window.reader = data.pipeThrough(new TextDecoderStream()).getReader()
        return [status, (await reader.read()).value]
      })()`
      assert.deepEqual(await run(tab, first), [200, 'first;'])
      rest()
      assert.equal(await run(tab, 'reader.read().then((it) => it.value)'), 'last')
      assert.equal(api.bodies.length, 2)
    }),
  )

  test(
    'responseType stream: a 401 for another reason comes back, whole',
    atEase(async ({ seen, tab }) => {
      seen.api = (req, res) => respond(res, req, 401, '{"code":"token_malformed"}', 'application/json')
      const asked = `(async () => {
        const streams = axios.create({ adapter: 'fetch', validateStatus: null })
        Munjigi.attachAxios(streams, session)
        const { status, data } = await streams.get('/api/stream', { responseType: 'stream' })
        return [status, await new Response(data).text()]
      })()`
      assert.deepEqual(await run(tab, asked), [401, '{"code":"token_malformed"}'])
    }),
  )
})
