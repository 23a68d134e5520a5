import { expect, test } from 'vitest'
import { eventFilter, eventsSearch } from './search'

test('a link names a stream, a type and whole days', () => {
  const search = eventsSearch({ stream: ' acct_1 ', type: 'KeyIssued', from: '2026-11-01', to: '2026-11-20', page: 7 })
  expect(eventFilter(search)).toEqual({ stream: 'acct_1', event_type: 'KeyIssued', from: '2026-11-01T00:00:00Z', to: '2026-11-21T00:00:00Z' })
  expect(eventsSearch({ stream: ' ', type: 'no such type', from: 'yesterday' })).toEqual({})
})
