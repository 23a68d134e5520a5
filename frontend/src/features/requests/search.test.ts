import { expect, it } from 'vitest'
import { requestFilter, requestSearch, spanOf, spanStart } from './search'

const NOW = Date.parse('2026-11-20T23:30:00Z')

it('keeps of a link what means something', () => {
  expect(requestSearch({ q: ' ', status: 'lost', from: '2026-13-01', to: '2026-11-02', model: 'a/b', key: 7 })).toEqual({
    to: '2026-11-02',
    model: 'a/b',
  })
})

it('asks for whole days, the last one included', () => {
  expect(requestFilter({ from: '2026-10-31', to: '2026-10-31', key: 'key_1', q: 'gpt' })).toEqual({
    search: 'gpt',
    key_id: 'key_1',
    from: '2026-10-31T00:00:00Z',
    to: '2026-11-01T00:00:00Z',
  })
  expect(requestFilter({})).toEqual({})
})

it('recognises the spans that it offers', () => {
  expect(spanOf({}, NOW)).toBe('all')
  for (const span of ['today', 'week', 'month'] as const) expect(spanOf({ from: spanStart(span, NOW) }, NOW)).toBe(span)
  expect(spanStart('week', NOW)).toBe('2026-11-14')
  expect(spanOf({ from: '2026-11-01', to: '2026-11-03' }, NOW)).toBe('custom')
})
