import { expect, test } from 'vitest'
import { customerSearch, customersSearch } from './search'

test('a link searches for something, or for nobody in particular', () => {
  expect(customersSearch({ q: 'ann' })).toEqual({ q: 'ann' })
  expect(customersSearch({ q: ' ' })).toEqual({})
  expect(customersSearch({ q: 7 })).toEqual({})
})

test('a link names a part of the page, or none', () => {
  expect(customerSearch({ show: 'keys' })).toEqual({ show: 'keys' })
  expect(customerSearch({ show: 'overview' })).toEqual({})
  expect(customerSearch({ show: 'secrets' })).toEqual({})
})
