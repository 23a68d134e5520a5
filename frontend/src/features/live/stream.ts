import type { components } from '@/api/schema'

export type Picture = components['schemas']['Picture']

function isPicture(value: unknown): value is Picture {
  return typeof value === 'object' && value !== null && 'at' in value && 'requests_per_second' in value && 'duration' in value
}

/** What an event of the stream shows; null for its end and for what is new to this page. */
export function pictureOf(data: string): Picture | null {
  try {
    const value: unknown = JSON.parse(data)
    return isPicture(value) ? value : null
  } catch {
    return null
  }
}

/** How many seconds are looked back at. */
export const SECONDS = 120

export function remember(seen: readonly Picture[], next: Picture): readonly Picture[] {
  return [...seen.slice(1 - SECONDS), next]
}

/** Errors of all these seconds by what they are about, the most frequent first. */
export function errorsOf(seen: readonly Picture[]): ReadonlyArray<{ code: string; count: number }> {
  const counts = new Map<string, number>()
  for (const { errors } of seen) for (const { code, count } of errors) counts.set(code, (counts.get(code) ?? 0) + count)
  return [...counts].map(([code, count]) => ({ code, count })).toSorted((a, b) => b.count - a.count)
}

/** How long to wait before the stream is asked for again: longer after each failure. */
export function pause(failures: number): number {
  return Math.min(15_000, 500 * 2 ** failures)
}
