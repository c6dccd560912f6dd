// A client of the Prioticket-compatible API that gets its tokens with oauth4webapi:
// node oauth.mjs BASE CLIENT_ID CLIENT_SECRET TARGET_URL
import assert from 'node:assert/strict'
import * as oauth from 'oauth4webapi'

const [base, client_id, secret, target] = process.argv.slice(2)
const server = { issuer: base, token_endpoint: base + '/oauth2/token' }
const client = { client_id }
const options = { [oauth.allowInsecureRequests]: true }
const scope = 'https://www.prioticketapis.com/auth/distributor/webhooks'

async function grant(authentication, parameters = { scope }) {
  const response = await oauth.clientCredentialsGrantRequest(server, client, authentication, parameters, options)
  assert.equal(response.headers.get('cache-control'), 'no-store')
  return oauth.processClientCredentialsResponse(server, client, response)
}

async function refused(authentication, parameters, error) {
  const thrown = await grant(authentication, parameters).then(() => assert.fail(`${error}: got a token`), e => e)
  if (error === 'invalid_client') {
    assert(thrown instanceof oauth.WWWAuthenticateChallengeError, thrown)
    assert.equal(thrown.cause[0].scheme, 'basic')
    assert.equal(thrown.status, 401)
    assert.equal((await thrown.response.json()).error, error)
  } else {
    assert(thrown instanceof oauth.ResponseBodyError, thrown)
    assert.equal(thrown.status, 400)
    assert.equal(thrown.error, error)
    assert.match(thrown.error_description, /^[ !#-\[\]-~]+$/)
  }
}

async function call(token, method, path, body) {
  const headers = new Headers(body && { 'content-type': 'application/json' })
  const response = await oauth.protectedResourceRequest(token, method, new URL(base + path), headers, body && JSON.stringify(body), options)
  const text = await response.text()
  return { status: response.status, body: text && JSON.parse(text) }
}

for (const authenticate of [oauth.ClientSecretBasic, oauth.ClientSecretPost]) {
  await refused(authenticate(secret + 'x'), { scope }, 'invalid_client')
  await refused(authenticate(secret), { scope: 'everything' }, 'invalid_scope')
  const granted = await grant(authenticate(secret))
  assert.equal(granted.scope, scope)
  assert.equal(granted.token_type, 'bearer')
  assert.match(granted.access_token, /^[0-9A-Za-z]+$/)

  const webhook = { webhook_events: ['ORDER_CREATE'], webhook_url: target, webhook_payload: 'true' }
  const created = await call(granted.access_token, 'POST', '/webhooks', { data: { webhook } })
  assert.equal(created.status, 201)
  const id = created.body.data.webhook.webhook_id
  const list = await call(granted.access_token, 'GET', '/webhooks?page=1')
  assert.deepEqual(list.body.data.items, [created.body.data.webhook])
  assert.equal((await call(granted.access_token, 'DELETE', '/webhooks/' + id)).status, 204)
  assert.equal((await call(granted.access_token, 'GET', '/webhooks')).body.data.total_items, 0)
}

const thrown = await call('x', 'GET', '/webhooks').then(() => assert.fail('got a list'), e => e)
assert(thrown instanceof oauth.WWWAuthenticateChallengeError, thrown)
assert.equal(thrown.cause[0].scheme, 'bearer')
assert.equal(thrown.cause[0].parameters.error, 'invalid_token')
console.log('ok')
