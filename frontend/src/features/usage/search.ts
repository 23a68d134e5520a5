import { type Day, addDays, dayOf, isDay } from '@/lib/days'
import type { Range } from '../shared/usage'

export const FACES = ['day', 'model', 'key'] as const
export type Face = (typeof FACES)[number]
export const SPANS = { week: 7, month: 30, quarter: 90 } as const
export type Span = keyof typeof SPANS | 'custom'

export type UsageSearch = { by?: Face; span?: Exclude<Span, 'custom'>; from?: Day; to?: Day }

export const SPAN_NAMES = ['week', 'month', 'quarter'] as const

/** What of a link's parameters means something: a named span, or two days. */
export function usageSearch(search: Record<string, unknown>): UsageSearch {
  const by = FACES.find((known) => known === search['by'])
  const span = SPAN_NAMES.find((known) => known === search['span'])
  const { from, to } = search
  const days = isDay(from) && isDay(to) && from <= to
  return {
    ...(by !== undefined && by !== 'day' && { by }),
    ...(days ? { from, to } : span !== undefined && span !== 'month' && { span }),
  }
}

/** The days that a link shows; a named span ends today. */
export function rangeOf({ span = 'month', from, to }: UsageSearch, now: number): Range {
  if (from !== undefined && to !== undefined) return { from, to }
  const today = dayOf(now)
  return { from: addDays(today, 1 - SPANS[span]), to: today }
}
