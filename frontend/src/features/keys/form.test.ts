import { expect, it } from 'vitest'
import { emptyForm, read } from './form'

const NOW = Date.parse('2026-11-20T12:00:00Z')
const form = (changes: Partial<ReturnType<typeof emptyForm>>) => read({ ...emptyForm(), name: 'laptop', ...changes }, NOW)

it('means what was typed', () => {
  const { body } = { body: undefined, ...form({ limit: '2,50', period: 'day', models: 'openai/*, anthropic/claude-sonnet-4', expiry: 'hour', rpm: '60' }) }
  expect(body).toMatchObject({
    name: 'laptop',
    limit_usd: '2.5',
    period: 'day',
    allowed_models: ['openai/*', 'anthropic/claude-sonnet-4'],
    allowed_ips: null,
    expires_at: '2026-11-20T13:00:00.000Z',
    requests_per_minute: 60,
    tokens_per_minute: null,
  })
})

it('leaves the expiry alone where it is to stay', () => {
  const answer = form({ expiry: 'keep' })
  expect('body' in answer && 'expires_at' in answer.body).toBe(false)
})

it('says what is wrong with each field', () => {
  expect(form({ name: ' ', limit: 'much', rpm: '1.5', expiry: 'date', date: '2026-11-19' })).toEqual({
    errors: { name: 'nameNeeded', limit: 'badAmount', rpm: 'badCount', date: 'badDate' },
  })
  expect(form({ limit: '0' })).toEqual({ errors: { limit: 'badAmount' } })
})
