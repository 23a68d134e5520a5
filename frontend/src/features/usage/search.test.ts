import { expect, it } from 'vitest'
import { rangeOf, usageSearch } from './search'

const NOW = Date.parse('2026-11-20T12:00:00Z')

it('shows a month where the link says nothing', () => {
  expect(rangeOf({}, NOW)).toEqual({ from: '2026-10-22', to: '2026-11-20' })
  expect(rangeOf({ span: 'week' }, NOW)).toEqual({ from: '2026-11-14', to: '2026-11-20' })
  expect(rangeOf({ from: '2026-01-01', to: '2026-01-31' }, NOW)).toEqual({ from: '2026-01-01', to: '2026-01-31' })
})

it('keeps of a link what means something, and what is usual out of it', () => {
  expect(usageSearch({ by: 'model', span: 'quarter' })).toEqual({ by: 'model', span: 'quarter' })
  expect(usageSearch({ by: 'day', span: 'month' })).toEqual({})
  expect(usageSearch({ span: 'week', from: '2026-01-01', to: '2026-01-31' })).toEqual({ from: '2026-01-01', to: '2026-01-31' })
  expect(usageSearch({ from: '2026-02-01', to: '2026-01-31', by: 'colour' })).toEqual({})
})
