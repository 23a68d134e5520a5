// openapi-fetch with the types that openapi-typescript makes of the document.

import assert from 'node:assert/strict'
import test from 'node:test'
import createClient from 'openapi-fetch'
import type { components, paths } from './generated/paths.js'
import { model, newAddress, password, secret, url } from './harness.js'

function client(token?: string) {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  return createClient<paths>({ baseUrl: url, headers })
}

async function signIn(email: string, password: string) {
  const { data, error } = await client().POST('/v1/auth/login', { body: { email, password } })
  assert.ok(data, error?.detail)
  return client(data.access_token)
}

async function customer() {
  const email = newAddress()
  const body = { email, password, name: 'Ada' }
  const { response } = await client().POST('/v1/auth/register', { body })
  assert.equal(response.status, 201)
  const session = await signIn(email, password)
  const { data, error } = await session.GET('/v1/auth/me')
  assert.ok(data, error?.detail)
  return { account: data.account_id, session }
}

test('a customer is registered, topped up and charged', async () => {
  const { account, session } = await customer()
  const wanted = { name: 'generated', limit_usd: '2.50', period: 'day' as const }
  const { data: issued } = await session.POST('/v1/auth/api-keys', { body: wanted })
  assert.ok(issued)
  const query = { limit: 1, at_least: issued.position }
  const { data: listed } = await session.GET('/v1/auth/api-keys', { params: { query } })
  assert.equal(listed?.data[0]?.id, issued.id)
  assert.equal(listed?.next_cursor ?? null, null)

  const admin = await signIn('admin@tollgate.local', secret('admin-password'))
  const topUp = {
    params: { path: { account_id: account }, header: { 'Idempotency-Key': account } },
    body: { amount_usd: '3.000000000001', reference: 'generated' },
  }
  const path = '/v1/admin/clients/{account_id}/top-ups'
  const { data: booked } = await admin.POST(path, topUp)
  const { data: again } = await admin.POST(path, topUp)
  assert.ok(booked && again)
  assert.deepEqual([again.id, again.replayed, booked.replayed], [booked.id, true, false])
  const read = { params: { query: { at_least: booked.position } } }
  const { data: balance } = await session.GET('/v1/client/balance', read)
  assert.equal(balance?.available_usd, '3.000000000001')

  const messages = [{ role: 'user', content: 'Say hello' }]
  const ask = { body: { model, messages, max_tokens: 50 } }
  const { response } = await client(issued.key).POST('/v1/chat/completions', ask)
  assert.match(response.headers.get('x-tollgate-charge') ?? '', /^0\.0*[1-9]/)
})

test('errors are values of the types that the document names', async () => {
  const nobody = await client('nobody').GET('/v1/client/balance')
  const problem: components['schemas']['ProblemBody'] | undefined = nobody.error
  assert.equal(problem?.code, 'not_signed_in')

  const { session } = await customer()
  const forbidden = await session.GET('/v1/admin/stats')
  assert.equal(forbidden.error?.code, 'forbidden')

  const issued = await session.POST('/v1/auth/api-keys', { body: { name: 'poor' } })
  assert.ok(issued.data)
  const messages = [{ role: 'user', content: 'Say hello' }]
  const body = { model, messages, max_tokens: 100 }
  const empty = await client(issued.data.key).POST('/v1/chat/completions', { body })
  const refusal: components['schemas']['ErrorBody'] | undefined = empty.error
  assert.equal(empty.response.status, 402)
  assert.equal(refusal?.error.code, 'insufficient_quota')
})
