// Our access tokens, read by a library that nobody here wrote: from discovery alone, and with a key from a file.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createRemoteJWKSet, decodeProtectedHeader, importSPKI, jwtVerify } from 'jose'
import { startProvider } from './provider.mjs'
import { freePort, startMunjigi, Visitor } from './provider-munjigi.mjs'

/** @type {Awaited<ReturnType<typeof startProvider>>} */
let provider
/** @type {Awaited<ReturnType<typeof startMunjigi>>} */
let munjigi
let answer

before(async () => {
  const port = await freePort()
  const redirectUris = [`http://127.0.0.1:${port}/sign-in/staff/callback`]
  provider = await startProvider({ people: [{ email: 'kim@example.com', name: '김 Kim' }], redirectUris })
  munjigi = await startMunjigi({ port, provider })
  const kim = await new Visitor(munjigi.url, 'kim@example.com').signIn()
  answer = await kim.renew()
})
after(async () => {
  await munjigi?.stop()
  await provider?.close()
})

const expected = () => ({
  issuer: munjigi.url,
  audience: 'wishlist',
  typ: 'at+jwt',
  requiredClaims: ['sub', 'exp', 'iat', 'jti', 'sid'],
})

const discovered = async () => {
  const metadata = await (await fetch(`${munjigi.url}/.well-known/openid-configuration`)).json()
  assert.equal(metadata.issuer, munjigi.url)
  return createRemoteJWKSet(new URL(metadata.jwks_uri))
}

test('from discovery alone', async () => {
  const { payload, protectedHeader } = await jwtVerify(answer.access_token, await discovered(), expected())
  assert.equal(protectedHeader.alg, 'ES256')
  assert.equal(payload.sub, answer.account.id)
  assert.equal(payload.sid, answer.session.id)
  assert.deepEqual(payload.aud, ['wishlist'])
  assert.equal(payload.name, '김 Kim')
  assert.equal(payload.client_id, 'tools')
  assert.equal(payload.exp, answer.expires_at)
})

test('with a public key from a file', async () => {
  const { stdout } = await munjigi.command('keys', 'export')
  const { payload } = await jwtVerify(answer.access_token, await importSPKI(stdout, 'ES256'), expected())
  assert.equal(payload.realm, 'staff')
  assert.ok(decodeProtectedHeader(answer.access_token).kid)
})

test('refused: another audience, another issuer, a changed claim', async () => {
  const keys = await discovered()
  const refused = (token, change) =>
    assert.rejects(
      jwtVerify(token, keys, { ...expected(), ...change }),
      /** @param {any} err */ (err) => err.code.startsWith('ERR_JW'),
    )
  await refused(answer.access_token, { audience: 'market' })
  await refused(answer.access_token, { issuer: 'https://evil.example' })
  const [header, payload, signature] = answer.access_token.split('.')
  const claims = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), roles: ['admin'] }
  await refused([header, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.'), {})
})
