import { expect, it } from 'vitest'
import { addDays, addMonths, daysFrom, firstOfMonth, isDay, isMonth, moments } from './days'

it('counts days across months, years and a leap day', () => {
  expect(addDays('2026-12-31', 1)).toBe('2027-01-01')
  expect(addDays('2028-03-01', -1)).toBe('2028-02-29')
  expect(daysFrom('2026-02-27', '2026-03-01')).toEqual(['2026-02-27', '2026-02-28', '2026-03-01'])
  expect(daysFrom('2026-03-02', '2026-03-01')).toEqual([])
  expect(daysFrom('1900-01-01', '2026-01-01')).toHaveLength(400)
})

it('counts months', () => {
  expect(addMonths('2026-01', -1)).toBe('2025-12')
  expect(addMonths('2026-11', 2)).toBe('2027-01')
  expect(firstOfMonth('2026-11-20')).toBe('2026-11-01')
})

it('asks for whole days, the last one included', () => {
  expect(moments('2026-11-01', '2026-11-30')).toEqual({ from: '2026-11-01T00:00:00Z', to: '2026-12-01T00:00:00Z' })
})

it('knows a day and a month from what is none', () => {
  expect(['2026-11-20', '2026-11-32', '20-11-2026', 5].map(isDay)).toEqual([true, false, false, false])
  expect(['2026-11', '2026-13', '2026', 'november'].map(isMonth)).toEqual([true, false, false, false])
})
