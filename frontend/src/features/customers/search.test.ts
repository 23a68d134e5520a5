import { expect, test } from 'vitest'
import { customerSearch, fitting } from './search'

test('customers are found by parts of name, address and account', () => {
  const ann = { account_id: 'acct_1', name: 'Ann Lee', email: 'ann@example.com' }
  const bob = { account_id: 'acct_2', name: null, email: null }
  expect(fitting([ann, bob], '')).toEqual([ann, bob])
  expect(fitting([ann, bob], 'LEE example')).toEqual([ann])
  expect(fitting([ann, bob], 'acct_2')).toEqual([bob])
  expect(fitting([ann, bob], 'ann acct_2')).toEqual([])
})

test('a link names a part of the page, or none', () => {
  expect(customerSearch({ show: 'keys' })).toEqual({ show: 'keys' })
  expect(customerSearch({ show: 'overview' })).toEqual({})
  expect(customerSearch({ show: 'secrets' })).toEqual({})
})
