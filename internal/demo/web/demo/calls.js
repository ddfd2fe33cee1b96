// The calls that the page makes, and nothing of how it looks. Only a 401 with one of Munjigi's session codes ends a
// session; whatever else goes wrong is a call without an answer.
const app = 'staff-tools'
const hintName = 'munjigi-staff-hint'

// answer = {ok: the body} | {ended: the problem} | {refused: the problem} | {none: why}
export function createCalls(config, language) {
  let token = ''
  let gone = null // the problem that ended the session

  async function fetchJSON(address, options = {}) {
    try {
      const response = await fetch(address, {
        cache: 'no-store', redirect: 'error', ...options,
        headers: { 'Accept-Language': language(), ...options.headers },
        signal: AbortSignal.timeout(20_000),
      })
      const body = response.status === 204 ? null : await response.json()
      return { status: response.status, body }
    } catch (error) {
      return { status: 0, error }
    }
  }

  function judge({ status, body, error }) {
    if (status >= 200 && status < 300) return { ok: body }
    if (status === 401 && String(body?.code).startsWith('session_')) {
      token = ''
      gone = body
      return { ended: body }
    }
    if (status >= 400 && status < 500 && body?.code) return { refused: body }
    return { none: error ?? body }
  }

  const post = (address, body, headers) => fetchJSON(address, {
    method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json', ...headers },
  })

  let flight = null // one renewal at a time, whoever asks

  function renew(extra = {}) {
    flight ??= (async () => {
      const answer = judge(await post('/session', { app, ...extra }))
      if (answer.ok) {
        token = answer.ok.access_token
        gone = null
      }
      return answer
    })().finally(() => { flight = null })
    return flight
  }

  // call asks a service; it renews and repeats once when the token says so.
  async function call(service, path, method = 'GET') {
    const send = async () => judge(await fetchJSON(config.services[service] + path, {
      method, headers: { Authorization: `Bearer ${token}` },
    }))
    if (gone) return { ended: gone }
    const first = token ? await send() : { refused: { code: 'token_missing' } }
    const code = first.refused?.code
    if (!['token_missing', 'token_expired', 'token_stale_check'].includes(code)) return first
    const renewed = await renew(code === 'token_stale_check' ? { max_check_age: first.refused.max_check_age } : {})
    if (!renewed.ok) return renewed
    return { ...(await send()), fresh: code === 'token_stale_check' }
  }

  return {
    renew, call,
    hasSession: () => document.cookie.split('; ').some((cookie) => cookie.startsWith(`${hintName}=`)),
    signIn(email) {
      const query = new URLSearchParams({ app, return_to: '/demo/', login_hint: email })
      location.assign(`/sign-in/staff?${query}`)
    },
    async signOut() {
      const answer = await fetchJSON('/session', { method: 'DELETE', headers: { 'Content-Type': 'application/json', 'Munjigi-App': app } })
      if (answer.status === 204) token = ''
      return answer.status === 204
    },
    checkedAt: async () => (await fetchJSON('/session', { headers: { 'Munjigi-App': app } })).body?.checked_at ?? 0,
    people: async () => (await fetchJSON(`${config.provider}/people`)).body ?? null,
    fault: async () => (await fetchJSON(`${config.provider}/faults`)).body?.mode ?? null,
    setFault: async (mode) => (await post(`${config.provider}/faults`, { mode })).status === 200,
    move: async (email, where) => (await post(`${config.provider}/people/${encodeURIComponent(email)}/${where}`, {})).status === 200,
  }
}
