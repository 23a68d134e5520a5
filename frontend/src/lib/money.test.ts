import { describe, expect, it } from 'vitest'
import { ceiling, compare, floored, fromPico, half, isMoney, money, parseMoney, placesOf, rounded, share, sum, telling, toPico } from './money'

describe('money', () => {
  it('is added without losing a pico-dollar', () => {
    expect(sum([money('0.1'), money('0.2')])).toBe('0.3')
    expect(sum([money('99999999999999.999999999999'), money('0.000000000001')])).toBe('100000000000000')
    expect(sum([money('1'), money('-1.000000000001')])).toBe('-0.000000000001')
    expect(sum([])).toBe('0')
  })

  it('goes through pico-dollars and back', () => {
    for (const text of ['0', '24.99996352', '-0.000000000001', '12345678901234567890.5']) {
      expect(fromPico(toPico(money(text)))).toBe(text)
    }
  })

  it('is taken from what people type and refused where it is no amount', () => {
    expect(parseMoney('1,50')).toBe('1.5')
    expect(parseMoney(' $1 000.25 ')).toBe('1000.25')
    for (const typed of ['', 'ten', '1.2.3', '1e3', '0.0000000000001', '--1']) expect(parseMoney(typed)).toBeNull()
    expect(isMoney('NaN')).toBe(false)
  })

  it('is rounded half to even', () => {
    expect(rounded(money('0.125'), 2)).toBe('0.12')
    expect(rounded(money('0.135'), 2)).toBe('0.14')
    expect(rounded(money('-0.125'), 2)).toBe('-0.12')
    expect(rounded(money('0.1250000001'), 2)).toBe('0.13')
    expect(rounded(money('1.999'), 2)).toBe('2')
  })

  it('is rounded towards less where it may be spent', () => {
    expect(floored(money('24.99999'), 2)).toBe('24.99')
    expect(floored(money('-0.001'), 2)).toBe('-0.01')
    expect(floored(money('5'), 2)).toBe('5')
  })

  it('is compared as an amount and not as text', () => {
    expect(compare(money('10'), money('9'))).toBe(1)
    expect(compare(money('1.0'), money('1'))).toBe(0)
    expect(compare(money('-2'), money('-1'))).toBe(-1)
  })

  it('becomes a number only as a share of a whole', () => {
    expect(share(money('1'), money('4'))).toBe(0.25)
    expect(share(money('1'), money('0'))).toBe(0)
  })
})

it('finds a round amount above any other', () => {
  const tops = ['0.000082', '1', '2.05', '41.6', '1234567.84', '99', '0', '-3'].map((text) => ceiling(money(text)))
  expect(tops).toEqual(['0.0001', '1', '2.4', '50', '1600000', '100', '0', '0'])
  expect(half(money('0.0001'))).toBe('0.00005')
})

it('shows fewer decimals of larger amounts, and never less than cents', () => {
  expect(['0.915', '25.5', '254.084836', '1234567.84'].map((text) => telling(money(text), 6))).toEqual([6, 4, 2, 2])
  expect(telling(money('-254'), 4)).toBe(2)
})

it('knows how much room a column of amounts needs', () => {
  expect(placesOf([])).toBe(2)
  expect(placesOf(['1', '0.0000822', '-3.5'].map(money))).toBe(7)
})
