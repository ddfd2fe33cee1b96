// A toy server that rotates refresh tokens as Munjigi does: a repeat within ten seconds gets the same answer. It speaks to
// each client in the client's own words, and counts.

import { once } from 'node:events'
import { createServer } from 'node:http'

const grace = 10_000

export async function startServer(pages) {
  const state = { generation: 0, previous: 0, at: 0, dead: true, mode: 'ok', renewals: 0, rotations: 0, again: 0 }
  const waiting = new Set()

  function begin() {
    for (const res of waiting) res.destroy()
    waiting.clear()
    const generation = state.generation + 1
    Object.assign(state, {
      generation,
      previous: generation,
      at: 0,
      dead: false,
      mode: 'ok',
      renewals: 0,
      rotations: 0,
      again: 0,
    })
  }

  function answer(res) {
    const now = Math.floor(Date.now() / 1000)
    const token = `a${state.generation}`
    const ate = Date.now() + 300_000
    res.setHeader('set-cookie', [`rt=${state.generation}; HttpOnly; Path=/`, `sAccessToken=${token}; HttpOnly; Path=/`])
    res.setHeader('front-token', btoa(JSON.stringify({ uid: 'u', ate, up: {} })))
    json(res, 200, {
      access_token: token,
      issued_at: now,
      expires_at: now + 300,
      account: { id: 'u', realm: 'staff', roles: [] },
      session: { id: 's', generation: state.generation, started_at: now, ends_at: now + 86_400 },
    })
  }

  function renew(req, res) {
    state.renewals++
    if (state.mode === 'hang') return waiting.add(res)
    if (state.mode !== 'ok') return json(res, Number(state.mode), {})
    const shown = Number(/(?:^|; )rt=(\d+)/.exec(req.headers.cookie ?? '')?.[1])
    const repeat = Date.now() - state.at < grace && (shown === state.generation || shown === state.previous)
    if (shown !== state.generation) state.again++ // a server without grace signs out for this
    if (!repeat && shown !== state.generation) return json(res, 401, { code: 'session_reused' })
    if (!repeat) {
      state.previous = state.generation++
      Object.assign(state, { at: Date.now(), dead: false })
      state.rotations++
    }
    // As long as a database takes, so that others come meanwhile.
    setTimeout(() => answer(res), 150)
  }

  const server = createServer((req, res) => {
    const { pathname, searchParams } = new URL(req.url, 'http://toy')
    if (pathname === '/login') {
      begin()
      return answer(res)
    }
    if (pathname === '/session' || pathname === '/auth/session/refresh') return renew(req, res)
    if (pathname.startsWith('/api/')) {
      const shown =
        /^Bearer (\w+)/.exec(req.headers.authorization)?.[1] ?? /sAccessToken=(\w+)/.exec(req.headers.cookie)?.[1]
      const good = !state.dead && shown === `a${state.generation}`
      return json(res, good ? 200 : 401, good ? {} : { code: 'token_expired' })
    }
    const script = pages[searchParams.get('script')]
    if (script) return res.writeHead(200, { 'content-type': 'text/javascript' }).end(script)
    const name = searchParams.get('client')
    res.writeHead(200, { 'content-type': 'text/html' })
    res.end(
      `<!doctype html><title>${name}</title><script src="/clock.js?script=clock"></script><script src="/?script=${name}"></script>`,
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    state,
    /** From now on no token that was given is good. */
    expire: () => Object.assign(state, { dead: true, at: 0, renewals: 0, rotations: 0, again: 0 }),
    stop: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

function json(res, status, body) {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
