// The balance goes down by exactly what the answers said.

import assert from 'node:assert/strict'
import test from 'node:test'
import { MODEL, costText, fault, newCustomer, pico, user } from './harness.mjs'

test('the balance goes down by the sum of the costs', async () => {
  const { client, balance } = await newCustomer('5.00')
  const ask = async (number) => {
    const stream = number % 2 === 1
    const model = stream ? 'anthropic/claude-haiku-4.5' : MODEL
    const messages = user(`Question ${number}`)
    const request = { model, messages, max_tokens: 200 + number, stream }
    const answer = await client.chat.completions.create(request).asResponse()
    return pico(costText(await answer.text()))
  }
  const costs = await Promise.all(Array.from({ length: 20 }, (_, number) => ask(number)))
  assert.ok(costs.every((cost) => cost > 0n))
  const sum = costs.reduce((left, right) => left + right)
  const after = await balance()
  assert.equal(pico('5') - pico(after.balance_usd), sum)
  assert.equal(pico(after.lifetime_spent_usd), sum)
})

test('a refused request costs nothing', async () => {
  const { client, balance } = await newCustomer('1.00')
  for (const name of ['status=500', 'status=429', 'padded-error']) {
    const request = { model: MODEL, messages: user('Hello'), max_tokens: 100 }
    await assert.rejects(client.chat.completions.create(request, fault(name)))
  }
  assert.equal(pico((await balance()).balance_usd), pico('1'))
})
