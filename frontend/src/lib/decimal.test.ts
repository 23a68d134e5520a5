import { expect, it } from 'vitest'
import { compareDecimals, perMillion, plain } from './decimal'

it('makes prices per token prices per million tokens, exactly', () => {
  expect(perMillion('0.00000012')).toBe('0.12')
  expect(perMillion('1.4e-7')).toBe('0.14')
  expect(perMillion('0.000015')).toBe('15')
  expect(perMillion('0')).toBe('0')
  expect(perMillion('0.0000000000000001')).toBe('0.0000000001')
  // What more than one model in the catalogue costs has more digits than a number holds.
  expect(perMillion('0.0000000799999999999999999')).toBe('0.0799999999999999999')
  for (const price of ['-1', 'free', '', '1.']) expect(perMillion(price)).toBeNull()
})

it('writes exponents out', () => {
  expect(plain('3.132e-5')).toBe('0.00003132')
  expect(plain('1.5E+3')).toBe('1500')
  expect(plain('0.10')).toBe('0.1')
})

it('orders by size and not by text', () => {
  const prices = ['10', '9', '0.5', '0.12', '100', '0']
  expect(prices.toSorted(compareDecimals)).toEqual(['0', '0.12', '0.5', '9', '10', '100'])
})
