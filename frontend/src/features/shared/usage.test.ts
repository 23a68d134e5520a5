import { expect, it } from 'vitest'
import { money } from '@/lib/money'
import { type UsageLine, chargesByDay, seriesOf } from './usage'

const line = (day: string, model: string, charge: string): UsageLine => ({
  day,
  model,
  requests: 1,
  unbilled_requests: 0,
  prompt_tokens: 1,
  completion_tokens: 1,
  cached_tokens: 0,
  cache_write_tokens: 0,
  reasoning_tokens: 0,
  audio_tokens: 0,
  list_cost_usd: money(charge),
  charge_usd: money(charge),
})

const usage = [line('2026-02-27', 'a', '0.1'), line('2026-02-27', 'b', '0.2'), line('2026-03-01', 'b', '1'), line('2026-03-01', 'free', '0')]

it('has a figure for every day, also for those without use', () => {
  expect(chargesByDay({ from: '2026-02-27', to: '2026-03-02' }, usage)).toEqual([
    { day: '2026-02-27', charge: '0.3' },
    { day: '2026-02-28', charge: '0' },
    { day: '2026-03-01', charge: '1' },
    { day: '2026-03-02', charge: '0' },
  ])
})

it('makes a series of each model, the dearest first, without those that cost nothing', () => {
  expect(seriesOf(['2026-02-27', '2026-03-01'], usage, ({ model }) => model ?? '')).toEqual([
    { name: 'b', values: ['0.2', '1'], total: '1.2' },
    { name: 'a', values: ['0.1', '0'], total: '0.1' },
  ])
})
