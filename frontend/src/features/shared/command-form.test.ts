import { expect, test } from 'vitest'
import { type FieldSpec, read } from './command-form'

const fields: FieldSpec[] = [
  { name: 'amount', label: '', kind: 'money' },
  { name: 'change', label: '', kind: 'change', optional: true },
  { name: 'ratio', label: '', kind: 'ratio', optional: true },
  { name: 'fee', label: '', kind: 'fee', optional: true },
  { name: 'rpm', label: '', kind: 'count', optional: true },
  { name: 'reason', label: '', kind: 'area' },
]

test('a form gives amounts with all their digits', () => {
  const { values } = read(fields, { amount: ' 1 000,000000000001 ', change: '-0.5', ratio: '1,25', fee: '0', rpm: '60', reason: ' asked ' })
  expect(values?.money('amount')).toBe('1000.000000000001')
  expect(values?.money('change')).toBe('-0.5')
  expect(values?.text('ratio')).toBe('1.25')
  expect(values?.maybeMoney('fee')).toBe('0')
  expect(values?.maybeCount('rpm')).toBe(60)
  expect(values?.text('reason')).toBe('asked')
})

test('what is left out is null, and what is wrong is named', () => {
  expect(read(fields, { amount: '1', reason: 'x' }).values?.maybeMoney('change')).toBeNull()
  expect(read(fields, { amount: '-1', change: '0', ratio: '0.0', rpm: '1.5', reason: ' ' }).errors).toEqual({
    amount: 'badAmount',
    change: 'badChange',
    ratio: 'badRatio',
    rpm: 'badCount',
    reason: 'needed',
  })
})
