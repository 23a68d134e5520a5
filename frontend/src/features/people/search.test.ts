import { expect, test } from 'vitest'
import { peopleSearch } from './search'

test('a link names a role that exists and something to search for', () => {
  expect(peopleSearch({ q: 'ann', role: 'admin' })).toEqual({ q: 'ann', role: 'admin' })
  expect(peopleSearch({ q: '', role: 'owner' })).toEqual({})
})
