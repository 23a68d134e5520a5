import { expect, test } from 'vitest'
import { actionsSearch } from './search'

test('a link names a list that exists and what its entries are about', () => {
  expect(actionsSearch({ show: 'people', about: ' usr_1 ' })).toEqual({ show: 'people', about: 'usr_1' })
  expect(actionsSearch({ show: 'books', about: '' })).toEqual({})
  expect(actionsSearch({ show: 'secrets' })).toEqual({})
})
