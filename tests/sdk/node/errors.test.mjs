// What a program catches: the SDK's own error classes, and never a wrong one.

import assert from 'node:assert/strict'
import test from 'node:test'
import OpenAI from 'openai'
import { MODEL, demo, fault, newCustomer, sdk, user } from './harness.mjs'

const client = demo()
const hello = { model: MODEL, messages: user('Hello') }

/** The error that a promise is rejected with, of this class. */
async function caught(kind, promise) {
  const error = await promise.then(
    () => assert.fail('it was answered'),
    (error) => error,
  )
  assert.ok(error instanceof kind, `${error?.constructor?.name}: ${error?.message}`)
  return error
}

test('a bad key is an AuthenticationError', async () => {
  const stranger = sdk('sk-tg-nobody')
  const error = await caught(OpenAI.AuthenticationError, stranger.chat.completions.create(hello))
  assert.equal(error.status, 401)
  assert.equal(error.code, 'invalid_api_key')
})

test('an empty balance is a 402 that the SDK does not retry', async () => {
  const { client } = await newCustomer()
  let attempts = 0
  const counting = client.withOptions({
    maxRetries: 2,
    fetch: (...request) => {
      attempts += 1
      return fetch(...request)
    },
  })
  const request = counting.chat.completions.create({ ...hello, max_tokens: 100 })
  const error = await caught(OpenAI.APIError, request)
  assert.equal(error.status, 402)
  assert.equal(error.code, 'insufficient_quota')
  assert.match(error.message, /You requested up to 100 tokens, but can only afford 0/)
  assert.equal(attempts, 1)
})

test('a small balance lowers the answer instead of refusing', async () => {
  const { client } = await newCustomer('0.001')
  const { data, response } = await client.chat.completions
    .create(hello, { headers: { 'X-Sandbox-Tokens': '10,9999' } })
    .withResponse()
  const lowered = Number(response.headers.get('x-tollgate-max-tokens'))
  assert.ok(lowered >= 16 && lowered < 16_384, `${lowered}`)
  assert.equal(data.usage.completion_tokens, lowered)
  assert.equal(data.choices[0].finish_reason, 'length')
})

test('an unknown model is a NotFoundError', async () => {
  const request = client.chat.completions.create({ ...hello, model: 'nobody/nothing' })
  const error = await caught(OpenAI.NotFoundError, request)
  assert.equal(error.code, 'model_not_found')
  await caught(OpenAI.NotFoundError, client.models.retrieve('nobody/nothing'))
})

test('a request without messages is a BadRequestError', async () => {
  const request = client.chat.completions.create({ model: MODEL, messages: [] })
  const error = await caught(OpenAI.BadRequestError, request)
  assert.equal(error.param, 'messages')
})

test('an upstream rate limit is a RateLimitError', async () => {
  const request = client.chat.completions.create(hello, fault('status=429'))
  const error = await caught(OpenAI.RateLimitError, request)
  assert.equal(error.headers.get('retry-after'), '1')
})

for (const status of [401, 402, 403, 500, 502, 503]) {
  test(`an upstream that answers ${status} is an InternalServerError`, async () => {
    const request = client.chat.completions.create(hello, fault(`status=${status}`))
    const error = await caught(OpenAI.InternalServerError, request)
    assert.ok([502, 503].includes(error.status))
    assert.doesNotMatch(error.message, /openrouter/i)
  })
}

for (const name of ['midstream-error', 'midstream-error-nousage', 'drop']) {
  test(`a stream with ${name} throws in the middle`, async () => {
    const stream = await client.chat.completions.create({ ...hello, stream: true }, fault(name))
    let seen = 0
    const reading = (async () => {
      for await (const _ of stream) seen += 1
    })()
    await caught(OpenAI.APIError, reading)
    assert.ok(seen > 0, 'the stream had begun well')
  })
}
