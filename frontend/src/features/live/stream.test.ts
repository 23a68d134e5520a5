import { expect, test } from 'vitest'
import { type Picture, SECONDS, errorsOf, pause, pictureOf, remember } from './stream'

const times = { p50_ms: null, p90_ms: null, p99_ms: null }
const picture = (errors: Picture['errors'] = []): Picture => ({
  at: '2026-11-20T12:00:00Z', requests_per_second: 1, refused_per_second: 0, failed_per_second: 0, errors,
  first_byte: times, duration: times, overhead: times, in_flight: 0, open_streams: 0, ledger_queue: 0, books: null,
})

test('pictures are read, and ends and rubbish are not', () => {
  expect(pictureOf(JSON.stringify(picture()))?.requests_per_second).toBe(1)
  expect(pictureOf('{"reason":"stopping"}')).toBeNull()
  expect(pictureOf('{')).toBeNull()
})

test('two minutes are remembered, and their errors added up', () => {
  let seen: readonly Picture[] = []
  for (let second = 0; second < SECONDS + 5; second += 1) seen = remember(seen, picture([{ code: 'rate_limit_exceeded', count: 2 }]))
  expect(seen.length).toBe(SECONDS)
  expect(errorsOf([picture([{ code: 'a', count: 1 }]), picture([{ code: 'b', count: 3 }, { code: 'a', count: 1 }])])).toEqual([
    { code: 'b', count: 3 },
    { code: 'a', count: 2 },
  ])
})

test('who cannot be reached is asked less and less often', () => {
  expect([0, 1, 2, 9].map(pause)).toEqual([500, 1_000, 2_000, 15_000])
})
