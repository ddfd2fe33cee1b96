// A certified OpenID provider that nobody here wrote (npm oidc-provider), on loopback, with people in memory and a layer
// in front of it that fails on request. It signs in whom login_hint names without asking.

import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import Provider from 'oidc-provider'
import { memoryAdapter } from './provider-adapter.mjs'

/** @typedef {{ email: string, name: string, verified?: boolean, groups?: string[], active?: boolean }} Person */

/** The ways in which it can fail. down refuses connections, slow answers nobody who waits less than a minute. */
export const faultModes = ['down', '500', '429', 'slow', 'invalid_client', 'html', 'truncated']

/** @type {Record<string, { status: number, type: string, body: string }>} */
const brokenAnswers = {
  500: { status: 500, type: 'text/plain', body: 'Internal Server Error' },
  429: { status: 429, type: 'application/json', body: '{"error":"slow_down"}' },
  invalid_client: { status: 401, type: 'application/json', body: '{"error":"invalid_client"}' },
  html: {
    status: 200,
    type: 'text/html',
    body: '<!doctype html><title>Welcome</title><p>Please accept the terms of this network.',
  },
  truncated: { status: 200, type: 'application/json', body: '{"access_token":"abc","token_type":"Bearer","expi' },
}

/**
 * @param {object} options
 * @param {Person[]} options.people
 * @param {string[]} options.redirectUris
 * @param {string} [options.clientId]
 * @param {string} [options.clientSecret]
 * @param {boolean} [options.rotate] refresh tokens; default true
 * @param {boolean} [options.offlineAlways] give a refresh token without the scope and consent that OpenID Connect asks for
 */
export async function startProvider(options) {
  const { clientId = 'munjigi', clientSecret = 'a secret of the client' } = options
  const people = new Map(options.people.map((person) => [person.email, { active: true, verified: true, ...person }]))
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  const issuer = `http://127.0.0.1:${port}`
  const provider = new Provider(issuer, configuration({ ...options, clientId, clientSecret }, people))
  const state = { mode: 'ok', asked: /** @type {{ at: number, grantType: string }[]} */ ([]) }
  const grants = trackGrants(provider, state)
  server.on('request', handler(provider, people, state))

  return {
    issuer,
    port,
    clientId,
    clientSecret,
    people,
    provider,
    /** Every refresh token that was taken, and when. */
    refreshed: () => state.asked.filter(({ grantType }) => grantType === 'refresh_token'),
    /** What a provider does when somebody leaves the company. */
    disable: (email) => {
      people.get(email).active = false
    },
    enable: (email) => {
      people.get(email).active = true
    },
    /** What a person does on "apps with access to your account". */
    revoke: async (email) => {
      for (const grantId of grants.get(email) ?? []) {
        await provider.Grant.adapter.destroy(grantId)
        await provider.RefreshToken.revokeByGrantId(grantId)
      }
    },
    /** @param {string} mode one of faultModes, or "ok" */
    fail: (mode) => fail(server, port, state, mode),
    close: async () => {
      if (server.listening) {
        server.close()
        server.closeAllConnections()
        await once(server, 'close')
      }
    },
  }
}

function configuration({ clientId, clientSecret, redirectUris, rotate = true, offlineAlways }, people) {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid: 'provider' }
  return {
    adapter: memoryAdapter(),
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: redirectUris,
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        id_token_signed_response_alg: 'ES256',
      },
    ],
    jwks: { keys: [jwk] },
    cookies: { keys: ['only for tests'] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'groups'] },
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => true },
    rotateRefreshToken: rotate,
    ttl: { AccessToken: 300, IdToken: 300, Interaction: 600, RefreshToken: 86400, Session: 86400, Grant: 86400 },
    ...(offlineAlways && { issueRefreshToken: async () => true, expiresWithSession: async () => false }),
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_ctx, email) => {
      const person = people.get(email)
      if (!person?.active) {
        return undefined
      }
      const { name, verified, groups } = person
      return { accountId: email, claims: async () => ({ sub: email, email, email_verified: verified, name, groups }) }
    },
  }
}

/** Which grants belong to whom, and what the token endpoint gave. */
function trackGrants(provider, state) {
  const grants = new Map()
  provider.on('refresh_token.saved', ({ accountId, grantId }) => {
    grants.set(accountId, (grants.get(accountId) ?? new Set()).add(grantId))
  })
  provider.on('grant.success', (ctx) => {
    state.asked.push({ at: Date.now(), grantType: ctx.oidc.params.grant_type })
  })
  return grants
}

function handler(provider, people, state) {
  const serve = provider.callback()
  return (req, res) => {
    const broken = brokenAnswers[state.mode]
    if (broken) {
      res.writeHead(broken.status, { 'content-type': broken.type }).end(broken.body)
    } else if (state.mode === 'slow') {
      setTimeout(() => res.destroy(), 60_000).unref()
    } else if (req.url.startsWith('/interaction/')) {
      interact(provider, people, req, res).catch((err) => res.writeHead(400).end(String(err)))
    } else {
      serve(req, res)
    }
  }
}

/** Signs in whom the request named, and grants what it asked for. */
async function interact(provider, people, req, res) {
  const { params, prompt, session, grantId } = await provider.interactionDetails(req, res)
  if (prompt.name === 'login') {
    const accountId = params.login_hint
    const result = people.get(accountId)?.active ? { login: { accountId } } : { error: 'access_denied' }
    return provider.interactionFinished(req, res, result)
  }
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id })
  grant.addOIDCScope(params.scope)
  return provider.interactionFinished(
    req,
    res,
    { consent: { grantId: await grant.save() } },
    { mergeWithLastSubmission: true },
  )
}

async function fail(server, port, state, mode) {
  if (mode !== 'ok' && !faultModes.includes(mode)) {
    throw new Error(`no fault mode "${mode}"`)
  }
  state.mode = mode
  if (mode === 'down' && server.listening) {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }
  if (mode !== 'down' && !server.listening) {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
}
