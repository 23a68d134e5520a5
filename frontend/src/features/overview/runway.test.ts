import { expect, it } from 'vitest'
import { money } from '@/lib/money'
import { paceDays, runwayDays } from './runway'

const charges = (...amounts: string[]) => amounts.map((amount) => ({ charge: money(amount) }))

it('divides what is left by what a day costs', () => {
  expect(runwayDays(money('10'), [money('1'), money('3')])).toBe(5)
  expect(runwayDays(money('0.5'), [money('1')])).toBe(0)
  expect(runwayDays(money('-1'), [money('1')])).toBe(0)
})

it('says nothing where it would be a guess', () => {
  expect(runwayDays(money('10'), [money('0')])).toBeNull()
  expect(runwayDays(money('10'), [])).toBeNull()
  expect(runwayDays(money('1000000'), [money('0.000001')])).toBeNull()
})

it('counts from the first use and leaves today out, which is not over', () => {
  expect(paceDays(charges('0', '0', '2', '0', '9'))).toEqual(charges('2', '0'))
  expect(paceDays(charges('0', '9'))).toEqual(charges('9'))
  expect(paceDays(charges('0', '0'))).toEqual([])
})
