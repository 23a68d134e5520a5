import { expect, test } from 'vitest'
import { money } from '@/lib/money'
import { marginShare, profitSearch, totalsOf } from './search'

const line = (charge: string, cost: string, waived: string, margin: string) => ({
  name: '', requests: 1, list_cost_usd: money('0'), charge_usd: money(charge), cost_usd: money(cost), waived_requests: 0, waived_usd: money(waived),
  waived_list_cost_usd: money('0'), margin_usd: money(margin), estimated_requests: 0, corrected_requests: 0, drifted_requests: 0, drift_usd: money('0'),
})

test('totals are exact, and a loss is below zero', () => {
  const totals = totalsOf([line('0.1', '0.2', '0', '-0.1'), line('0.2', '0.1', '0.000000000001', '0.099999999999')])
  expect(totals).toEqual({ charge: '0.3', cost: '0.3', waived: '0.000000000001', margin: '-0.000000000001', requests: 2 })
  expect(marginShare(money('-1'), money('4'))).toBe(-0.25)
  expect(marginShare(money('0'), money('0'))).toBeNull()
})

test('a link names a face and days that are in order', () => {
  expect(profitSearch({ by: 'account', from: '2026-11-01', to: '2026-11-20' })).toEqual({ by: 'account', from: '2026-11-01', to: '2026-11-20' })
  expect(profitSearch({ by: 'day', span: 'month', from: '2026-11-20', to: '2026-11-01' })).toEqual({})
})
