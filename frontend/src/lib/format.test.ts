import { expect, it } from 'vitest'
import { format } from './format'
import { en, ru } from './i18n'
import { money } from './money'
import { safeNext, tokenInHash } from './paths'

const english = format('en')
const russian = format('ru')
const spaces = (text: string) => text.replaceAll(/[\u00a0\u202f]/g, ' ')

it('writes every digit of an amount', () => {
  expect(english.money(money('24.99996352'))).toBe('$24.99996352')
  expect(english.money(money('1234567.5'))).toBe('$1,234,567.50')
  expect(english.money(money('0.000000000001'))).toBe('$0.000000000001')
  expect(english.money(money('-3'))).toBe('-$3.00')
  expect(spaces(russian.money(money('1234.5')))).toBe('1 234,50 $')
  // More digits than a floating-point number holds.
  expect(english.money(money('99999999999999.123456789012'))).toBe('$99,999,999,999,999.123456789012')
})

it('sets what follows the cents apart', () => {
  expect(english.moneyParts(money('24.99996352'))).toEqual({ lead: '$24.99', tail: '996352', end: '' })
  const parts = russian.moneyParts(money('0.005'))
  expect([parts.lead, parts.tail, spaces(parts.end)]).toEqual(['0,00', '5', ' $'])
  expect(english.moneyParts(money('2.999'), 2)).toEqual({ lead: '$3.00', tail: '', end: '' })
})

it('writes the books’ days in the books’ time zone', () => {
  expect(english.day('2026-11-01')).toBe('Nov 1')
  expect(spaces(russian.date('2026-11-01'))).toBe('1 нояб. 2026 г.')
  expect(russian.month('2026-11-01')).toContain('ноябрь')
})

it('says how long ago something was', () => {
  expect(english.ago(0, 5_400_000)).toBe('1 hour ago')
  expect(russian.ago(0, 300_000)).toBe('5 минут назад')
  expect(english.ago(10, 0)).toBe('now')
})

it('knows the plural forms of both languages', () => {
  const russianForm = (n: number) => ru(n, 'запрос', 'запроса', 'запросов')
  expect([1, 2, 5, 11, 21, 22, 100].map(russianForm)).toEqual([
    'запрос', 'запроса', 'запросов', 'запросов', 'запрос', 'запроса', 'запросов',
  ])
  expect([0, 1, 2].map((n) => en(n, 'request', 'requests'))).toEqual(['requests', 'request', 'requests'])
})

it('returns to pages of its own and to no other', () => {
  expect(safeNext('/requests?status=failed')).toBe('/requests?status=failed')
  for (const next of ['//evil.example', 'https://evil.example', '/\\evil.example', undefined, '/login?next=/']) {
    expect(safeNext(next)).toBe('/')
  }
})

it('finds the token of a mailed link', () => {
  expect(tokenInHash('#token=tgi_abc')).toBe('tgi_abc')
  expect(tokenInHash('#token=')).toBeNull()
  expect(tokenInHash('')).toBeNull()
})
