// The harness itself: what it calls a leaver, a revoked grant and a fault has to be one.

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { Browser } from './browser.mjs'
import { faultModes, startProvider } from './provider.mjs'

const callback = 'http://127.0.0.1:1/callback'
/** @type {Awaited<ReturnType<typeof startProvider>>} */
let provider

before(async () => {
  const people = ['a', 'b', 'c'].map((name) => ({ email: `${name}@example.com`, name, groups: ['platform'] }))
  provider = await startProvider({ people, redirectUris: [callback] })
})
after(() => provider.close())

const post = (body) =>
  fetch(`${provider.issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${provider.clientId}:${encodeURIComponent(provider.clientSecret)}`)}` },
    body: new URLSearchParams(body),
  })

async function signIn(email) {
  const verifier = randomBytes(32).toString('base64url')
  const { address } = await new Browser().follow(
    `${provider.issuer}/auth?${new URLSearchParams({
      client_id: provider.clientId,
      response_type: 'code',
      redirect_uri: callback,
      scope: 'openid email profile offline_access',
      prompt: 'consent',
      login_hint: email,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    })}`,
    (next) => next.startsWith(callback),
  )
  const code = new URL(address).searchParams.get('code')
  assert.ok(code, address)
  const answer = await post({ grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier: verifier })
  assert.equal(answer.status, 200)
  return answer.json()
}

const refresh = async (token) => {
  const answer = await post({ grant_type: 'refresh_token', refresh_token: token })
  return { status: answer.status, ...(await answer.json()) }
}

test('it signs in whom login_hint names, and rotates refresh tokens', async () => {
  const first = await signIn('a@example.com')
  const second = await refresh(first.refresh_token)
  assert.equal(second.status, 200)
  assert.notEqual(second.refresh_token, first.refresh_token)
  const info = await fetch(`${provider.issuer}/me`, { headers: { authorization: `Bearer ${second.access_token}` } })
  const want = { sub: 'a@example.com', email: 'a@example.com', email_verified: true, name: 'a', groups: ['platform'] }
  assert.deepEqual(await info.json(), want)
  assert.equal((await refresh(first.refresh_token)).error, 'invalid_grant')
  assert.equal(
    (await refresh(second.refresh_token)).error,
    'invalid_grant',
    'the return of an old token ends the grant',
  )
})

test('a disabled account and a revoked grant are invalid_grant', async () => {
  const b = await signIn('b@example.com')
  provider.disable('b@example.com')
  assert.equal((await refresh(b.refresh_token)).error, 'invalid_grant')
  const c = await signIn('c@example.com')
  await provider.revoke('c@example.com')
  assert.equal((await refresh(c.refresh_token)).error, 'invalid_grant')
})

test('each fault is one, and leaves the tokens alone', async () => {
  const { refresh_token } = await signIn('a@example.com')
  for (const mode of faultModes) {
    await provider.fail(mode)
    const body = { grant_type: 'refresh_token', refresh_token }
    const outcome = await Promise.race([
      post(body)
        .then((answer) => answer.json())
        .catch((err) => err),
      new Promise((resolve) => setTimeout(resolve, 300, 'nothing')),
    ])
    assert.equal(outcome?.refresh_token, undefined, mode)
    assert.notEqual(outcome?.error, 'invalid_grant', mode)
    assert.equal(outcome === 'nothing', mode === 'slow', mode)
  }
  await provider.fail('ok')
  assert.equal((await refresh(refresh_token)).status, 200)
})
