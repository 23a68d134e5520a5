// What a client does all day: ask, stream, call tools, ask for JSON.

import assert from 'node:assert/strict'
import test from 'node:test'
import { zodFunction, zodResponseFormat } from 'openai/helpers/zod'
import { z } from 'zod'
import { MODEL, costText, demo, user } from './harness.mjs'

const client = demo()
const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAC' +
  'hwGA60e6kgAAAABJRU5ErkJggg=='

test('an answer has content and a cost', async () => {
  const answer = await client.chat.completions.create({ model: MODEL, messages: user('Say hello') })
  assert.equal(answer.object, 'chat.completion')
  assert.match(answer.choices[0].message.content, /hello/i)
  assert.equal(answer.choices[0].finish_reason, 'stop')
  assert.equal(
    answer.usage.total_tokens,
    answer.usage.prompt_tokens + answer.usage.completion_tokens,
  )
  assert.ok(answer.usage.cost > 0)
})

test('the cost is the sale price and nothing tells ours', async () => {
  const raw = await client.chat.completions
    .create(
      { model: MODEL, messages: user('How much?'), max_tokens: 200 },
      { headers: { 'X-Sandbox-Tokens': '1000,100' } },
    )
    .asResponse()
  const text = await raw.text()
  // 1,000 × $0.15 + 100 × $0.60 per million at list price; sold at 80 %.
  assert.equal(costText(text), '0.000168')
  assert.equal(raw.headers.get('x-tollgate-charge'), '0.000168')
  assert.doesNotMatch(text, /cost_details|is_byok/)
  assert.match(raw.headers.get('x-request-id'), /^req_/)
})

test('a stream comes in chunks and ends with the usage', async () => {
  const stream = await client.chat.completions.create({
    model: MODEL,
    messages: user('Explain prepaid accounts'),
    stream: true,
  })
  let text = ''
  let chunks = 0
  const usages = []
  for await (const chunk of stream) {
    chunks += 1
    text += chunk.choices[0]?.delta.content ?? ''
    if (chunk.usage) usages.push(chunk.usage)
  }
  assert.ok(chunks > 5)
  assert.match(text, /prepaid accounts/)
  assert.equal(usages.length, 1)
  assert.ok(usages[0].cost > 0)
})

test('the stream helper puts the same answer together', async () => {
  const request = { model: MODEL, messages: user('Say good morning') }
  const stream = client.chat.completions.stream(request)
  const final = await stream.finalChatCompletion()
  assert.match(final.choices[0].message.content, /good morning/i)
  assert.ok(final.usage.cost > 0)
})

const weather = zodFunction({
  name: 'get_weather',
  description: 'Get the current weather in a city.',
  parameters: z.object({ city: z.string(), unit: z.string() }),
})

test('a tool call goes round', async () => {
  const messages = user('What is the weather in Lisbon?')
  const request = { model: MODEL, tools: [weather] }
  const first = await client.chat.completions.parse({ ...request, messages })
  assert.equal(first.choices[0].finish_reason, 'tool_calls')
  const { message } = first.choices[0]
  const [called] = message.tool_calls
  assert.equal(called.function.parsed_arguments.city, 'Lisbon')

  const result = { role: 'tool', tool_call_id: called.id, content: '{"celsius": 21}' }
  const second = await client.chat.completions.create({
    ...request,
    messages: [...messages, message, result],
  })
  assert.equal(second.choices[0].finish_reason, 'stop')
  assert.match(second.choices[0].message.content, /21/)
})

test('the tool runner ends with an answer', async () => {
  const cities = []
  const runner = client.chat.completions.runTools({
    model: MODEL,
    messages: user('What is the weather in Oslo?'),
    stream: true,
    tools: [
      {
        type: 'function',
        function: {
          name: 'get_weather',
          description: 'Get the current weather in a city.',
          parameters: weather.function.parameters,
          parse: JSON.parse,
          function: ({ city }) => {
            cities.push(city)
            return '{"celsius": 4}'
          },
        },
      },
    ],
  })
  assert.match(await runner.finalContent(), /4/)
  assert.deepEqual(cities, ['Oslo'])
})

test('a schema is obeyed and parsed', async () => {
  const person = z.object({ name: z.string(), age: z.number().int(), email: z.string() })
  const answer = await client.chat.completions.parse({
    model: MODEL,
    messages: user('Describe a person named Grace who is 47 years old'),
    response_format: zodResponseFormat(person, 'person'),
  })
  const { parsed } = answer.choices[0].message
  assert.equal(parsed.age, 47)
  assert.match(parsed.email, /@/)
})

test('a picture is counted and paid', async () => {
  const ask = async (...more) => {
    const content = [{ type: 'text', text: 'What is in the picture?' }, ...more]
    const messages = [{ role: 'user', content }]
    const answer = await client.chat.completions.create({ model: MODEL, messages, max_tokens: 50 })
    return answer.usage
  }
  const without = await ask()
  const withOne = await ask({ type: 'image_url', image_url: { url: PIXEL } })
  assert.ok(withOne.prompt_tokens - without.prompt_tokens >= 700)
  assert.ok(withOne.cost > without.cost)
})

test('reasoning passes both ways', async () => {
  const answer = await client.chat.completions.create({
    model: 'openai/gpt-5-mini',
    messages: user('Think about tides'),
    reasoning_effort: 'high',
  })
  assert.ok(answer.choices[0].message.reasoning)
  assert.ok(answer.usage.completion_tokens_details.reasoning_tokens > 0)
})

test('a member that nobody knows passes through', async () => {
  // `sandbox` means something to the sandbox upstream alone: it must arrive there.
  const answer = await client.chat.completions.create({
    model: MODEL,
    messages: user('Anything'),
    max_tokens: 64,
    sandbox: { tokens: [123, 45] },
    x_unknown: { a: [1] },
  })
  assert.equal(answer.usage.prompt_tokens, 123)
  assert.equal(answer.usage.completion_tokens, 45)
})

test('Cyrillic survives, streamed and whole', async () => {
  const words = 'Баланс сходится'
  const request = { model: MODEL, messages: user(`Say ${words}`) }
  const whole = await client.chat.completions.create(request)
  assert.ok(whole.choices[0].message.content.includes(words))
  let text = ''
  for await (const chunk of await client.chat.completions.create({ ...request, stream: true })) {
    text += chunk.choices[0]?.delta.content ?? ''
  }
  assert.ok(text.includes(words), text)
})

test('the models are listed with sale prices and found by their id', async () => {
  const models = new Map()
  for await (const model of client.models.list()) models.set(model.id, model)
  assert.ok(models.size > 300)
  assert.equal(models.get(MODEL).pricing.prompt, '0.00000012')
  const one = await client.models.retrieve(MODEL)
  assert.equal(one.id, MODEL)
  assert.equal(one.pricing.completion, '0.00000048')
})
