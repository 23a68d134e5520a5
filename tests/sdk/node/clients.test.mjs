// Vercel's `ai` with two providers, and OpenRouter's own SDK: with only the address changed.

import assert from 'node:assert/strict'
import test from 'node:test'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { createOpenRouter } from '@openrouter/ai-sdk-provider'
import { OpenRouter } from '@openrouter/sdk'
import { PaymentRequiredResponseError, UnauthorizedResponseError } from '@openrouter/sdk/models/errors'
import { APICallError, Output, generateText, stepCountIs, streamText, tool } from 'ai'
import { z } from 'zod'
import { MODEL, URL, newCustomer, pico, user } from './harness.mjs'

const NOBODY = `sk-tg-${'A'.repeat(43)}`
const WEATHER = 'What is the weather in Lisbon?'
const GRACE = 'Describe a person named Grace who is 47 years old'

// The shortest text of a float is the decimal that it was read from.
const told = (...costs) => costs.reduce((sum, cost) => sum + pico(String(cost)), 0n)
const charged = async ({ balance }) => pico((await balance()).lifetime_spent_usd)

const providers = {
  '@ai-sdk/openai-compatible': {
    model: (apiKey) =>
      createOpenAICompatible({
        name: 'tollgate',
        baseURL: `${URL}/v1`,
        apiKey,
        includeUsage: true,
        supportsStructuredOutputs: true,
      })(MODEL),
    // It keeps no members that it does not know; the raw body has the charge.
    cost: ({ response }) => response.body.usage.cost,
  },
  '@openrouter/ai-sdk-provider': {
    model: (apiKey) => createOpenRouter({ baseURL: `${URL}/api/v1`, apiKey })(MODEL),
    cost: ({ providerMetadata }) => providerMetadata.openrouter.usage.cost,
  },
}

for (const [name, { model, cost }] of Object.entries(providers)) {
  const ask = (apiKey, prompt, more = {}) => ({
    model: model(apiKey),
    prompt,
    maxOutputTokens: 200,
    maxRetries: 0,
    ...more,
  })

  test(`${name}: the charge is what the answer said`, async () => {
    const customer = await newCustomer('5.00')
    const answer = await generateText(ask(customer.key, 'Say hello'))
    assert.match(answer.text, /hello/i)
    assert.ok(answer.usage.totalTokens > 0)
    assert.equal(await charged(customer), told(cost(answer)))
  })

  test(`${name}: a stream ends with its usage`, async () => {
    const customer = await newCustomer('5.00')
    const answer = streamText(ask(customer.key, 'Explain prepaid accounts'))
    let text = ''
    for await (const part of answer.textStream) text += part
    assert.match(text, /prepaid accounts/i)
    assert.ok((await answer.usage).outputTokens > 5)
    assert.ok((await charged(customer)) > 0n)
  })

  test(`${name}: a tool is called and its result is read`, async () => {
    const customer = await newCustomer('5.00')
    const cities = []
    const weather = tool({
      description: 'Get the current weather in a city.',
      inputSchema: z.object({ city: z.string() }),
      execute: async ({ city }) => {
        cities.push(city)
        return { celsius: 21 }
      },
    })
    const more = { tools: { get_weather: weather }, stopWhen: stepCountIs(3) }
    const answer = await generateText(ask(customer.key, WEATHER, more))
    assert.deepEqual(cities, ['Lisbon'])
    assert.match(answer.text, /21/)
    assert.equal(await charged(customer), told(...answer.steps.map(cost)))
  })

  test(`${name}: a schema is obeyed`, async () => {
    const customer = await newCustomer('5.00')
    const schema = z.object({ name: z.string(), age: z.number().int() })
    const output = Output.object({ schema })
    const answer = await generateText(ask(customer.key, GRACE, { output }))
    assert.equal(answer.output.age, 47)
  })

  test(`${name}: errors are APICallErrors with their status`, async () => {
    const poor = await newCustomer()
    for (const [key, status] of [[NOBODY, 401], [poor.key, 402]]) {
      const error = await generateText(ask(key, 'Hello')).then(
        () => assert.fail('it was answered'),
        (error) => error,
      )
      assert.ok(APICallError.isInstance(error), `${error}`)
      assert.equal(error.statusCode, status)
      assert.equal(error.isRetryable, false)
    }
  })
}

// It would ask for an hour where a server answers 5xx, and a test wants to see the first answer.
const openrouter = (apiKey) =>
  new OpenRouter({ apiKey, serverURL: `${URL}/api/v1`, retryConfig: { strategy: 'none' } })

const send = (key, content, more = {}) => {
  const chatRequest = { model: MODEL, messages: user(content), maxTokens: 200, ...more }
  return openrouter(key).chat.send({ chatRequest })
}

test('@openrouter/sdk: whole answers and streams cost what they said', async () => {
  const customer = await newCustomer('5.00')
  const whole = await send(customer.key, 'Say hello')
  assert.match(whole.choices[0].message.content, /hello/i)
  let text = ''
  let usage
  for await (const chunk of await send(customer.key, 'Explain prepaid accounts', { stream: true })) {
    text += chunk.choices[0]?.delta.content ?? ''
    usage = chunk.usage ?? usage
  }
  assert.match(text, /prepaid accounts/i)
  assert.equal(await charged(customer), told(whole.usage.cost, usage.cost))
})

test('@openrouter/sdk: a tool is called', async () => {
  const customer = await newCustomer('5.00')
  const parameters = { type: 'object', properties: { city: { type: 'string' } } }
  const tools = [{ type: 'function', function: { name: 'get_weather', parameters } }]
  const answer = await send(customer.key, WEATHER, { tools })
  const [call] = answer.choices[0].message.toolCalls
  assert.equal(JSON.parse(call.function.arguments).city, 'Lisbon')
})

test('@openrouter/sdk: the models are listed', async () => {
  const { result } = await openrouter(NOBODY.slice(0, 0)).models.list()
  const { data } = result
  assert.ok(data.length > 300 && data.some(({ id }) => id === MODEL))
})

test('@openrouter/sdk: errors have their own classes', async () => {
  await assert.rejects(send(NOBODY, 'Hello'), UnauthorizedResponseError)
  const poor = await newCustomer()
  await assert.rejects(send(poor.key, 'Hello'), (error) => {
    assert.ok(error instanceof PaymentRequiredResponseError, `${error}`)
    assert.match(error.error.message, /can only afford 0/)
    return true
  })
})
