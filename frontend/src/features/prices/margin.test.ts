import { expect, test } from 'vitest'
import { dearest, marginPart, quotient } from './margin'

test('a list price comes back out of its sale price, exactly', () => {
  expect(quotient('0.18', '1.2')).toBe('0.15')
  expect(quotient('0.000000072', '0.6')).toBe('0.00000012')
  expect(quotient('3', '1')).toBe('3')
  expect(quotient('0', '0.6')).toBe('0')
})

test('what has no end is not shown as if it had', () => {
  expect(quotient('1', '3')).toBeNull()
  expect(quotient('1', '0')).toBeNull()
  expect(quotient('-1', '1')).toBeNull()
})

test('the margin is counted with the dearest account that serves', () => {
  const rate = dearest([{ status: 'enabled', cost_rate: '0.3' }, { status: 'enabled', cost_rate: '0.45' }, { status: 'disabled', cost_rate: '0.9' }, { cost_rate: null }])
  expect(rate).toBe('0.45')
  expect(marginPart('0.6', rate ?? '')).toBeCloseTo(0.25)
  expect(marginPart('0.3', '0.45')).toBeCloseTo(-0.5)
  expect(dearest([])).toBeNull()
})
