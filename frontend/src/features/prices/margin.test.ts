import { expect, test } from 'vitest'
import { dearest, marginPart, product } from './margin'

test('a ratio makes a sale price, exactly', () => {
  expect(product('0.15', '1.2')).toBe('0.18')
  expect(product('0.06', '0.8')).toBe('0.048')
  expect(product('15', '2')).toBe('30')
  expect(product('0.0000000000001', '0.333')).toBe('0.0000000000000333')
  expect(product('0', '0.6')).toBe('0')
  expect(product('-1', '1')).toBeNull()
})

test('the margin is counted with the dearest account that serves', () => {
  const rate = dearest([{ status: 'enabled', cost_rate: '0.3' }, { status: 'enabled', cost_rate: '0.45' }, { status: 'disabled', cost_rate: '0.9' }, { cost_rate: null }])
  expect(rate).toBe('0.45')
  expect(marginPart('0.6', rate ?? '')).toBeCloseTo(0.25)
  expect(marginPart('0.3', '0.45')).toBeCloseTo(-0.5)
  expect(dearest([])).toBeNull()
})
