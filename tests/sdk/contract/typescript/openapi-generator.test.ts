// The TypeScript client that openapi-generator makes of the document.

import assert from 'node:assert/strict'
import test from 'node:test'
import {
  AdminApi,
  ApiKeysApi,
  AuthApi,
  ClientApi,
  Configuration,
  ErrorBodyFromJSON,
  LimitPeriod,
  ModelsApi,
  ProblemBodyFromJSON,
  ResponseError,
} from './generated/index.js'
import { model, newAddress, password, secret, url } from './harness.js'

const anybody = new Configuration({ basePath: url })
const signed = (accessToken: string) => new Configuration({ basePath: url, accessToken })

async function signIn(email: string, password: string) {
  const { accessToken } = await new AuthApi(anybody).login({ loginRequest: { email, password } })
  return signed(accessToken)
}

async function customer() {
  const email = newAddress()
  const registerRequest = { email, password, name: 'Ada' }
  await new AuthApi(anybody).register({ registerRequest })
  const session = await signIn(email, password)
  const { accountId } = await new AuthApi(session).showMe()
  return { email, accountId, session }
}

/** The answer that a call was refused with. */
async function refused(call: Promise<unknown>): Promise<Response> {
  const error = await call.then(
    () => assert.fail('it was answered'),
    (error: unknown) => error,
  )
  assert.ok(error instanceof ResponseError, `${error}`)
  return error.response
}

test('a customer is registered, topped up and charged', async () => {
  const { email, accountId, session } = await customer()
  assert.match(accountId, /^acct_/)

  const keys = new ApiKeysApi(session)
  const issueKeyRequest = { name: 'generated', limitUsd: '2.50', period: LimitPeriod.Day }
  const issued = await keys.issueApiKey({ issueKeyRequest })
  const listed = await keys.listApiKeys({ limit: 1, atLeast: issued.position })
  assert.equal(listed.data[0]?.id, issued.id)
  assert.ok(listed.data[0]?.createdAt instanceof Date)
  assert.equal(listed.data[0]?.revokedAt ?? null, null)

  const admin = new AdminApi(await signIn('admin@tollgate.local', secret('admin-password')))
  const topUpRequest = { amountUsd: '3.000000000001', reference: 'generated' }
  const topUp = { accountId, topUpRequest, idempotencyKey: email }
  const booked = await admin.topUpClient(topUp)
  const again = await admin.topUpClient(topUp)
  assert.deepEqual([again.id, again.replayed, booked.replayed], [booked.id, true, false])
  const balance = await new ClientApi(session).showBalance({ atLeast: booked.position })
  assert.equal(balance.availableUsd, '3.000000000001')

  const messages = [{ role: 'user', content: 'Say hello' }]
  const chatCompletionRequest = { model, messages, maxTokens: 50 }
  const models = new ModelsApi(signed(issued.key))
  const answer = await models.createChatCompletionRaw({ chatCompletionRequest })
  assert.match(answer.raw.headers.get('x-tollgate-charge') ?? '', /^0\.0*[1-9]/)
})

test('errors are exceptions whose bodies have types', async () => {
  const nobody = await refused(new ClientApi(signed('nobody')).showBalance())
  assert.equal(ProblemBodyFromJSON(await nobody.json()).code, 'not_signed_in')

  const { session } = await customer()
  const forbidden = await refused(new AdminApi(session).showStats())
  assert.equal(ProblemBodyFromJSON(await forbidden.json()).code, 'forbidden')

  const { key } = await new ApiKeysApi(session).issueApiKey({ issueKeyRequest: { name: 'poor' } })
  const messages = [{ role: 'user', content: 'Say hello' }]
  const chatCompletionRequest = { model, messages, maxTokens: 100 }
  const empty = await refused(new ModelsApi(signed(key)).createChatCompletion({ chatCompletionRequest }))
  assert.equal(empty.status, 402)
  assert.equal(ErrorBodyFromJSON(await empty.json()).error.code, 'insufficient_quota')
})
