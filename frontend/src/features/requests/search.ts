import { type Day, addDays, dayOf, isDay } from '@/lib/days'

export const STATES = ['settled', 'released', 'expired', 'corrected', 'billed_late'] as const
export type State = (typeof STATES)[number]

/** Which requests a link shows. */
export type RequestSearch = { q?: string; model?: string; key?: string; status?: State; from?: Day; to?: Day }

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined
}

/** What of a link's parameters means something. */
export function requestSearch(search: Record<string, unknown>): RequestSearch {
  const status = STATES.find((known) => known === search['status'])
  const [q, model, key] = [text(search['q']), text(search['model']), text(search['key'])]
  const { from, to } = search
  return {
    ...(q !== undefined && { q }),
    ...(model !== undefined && { model }),
    ...(key !== undefined && { key }),
    ...(status !== undefined && { status }),
    ...(isDay(from) && { from }),
    ...(isDay(to) && { to }),
  }
}

/** The same as the gateway takes it; days are whole and UTC. */
export function requestFilter({ q, model, key, status, from, to }: RequestSearch) {
  return {
    ...(q !== undefined && { search: q }),
    ...(model !== undefined && { model }),
    ...(key !== undefined && { key_id: key }),
    ...(status !== undefined && { status }),
    ...(from !== undefined && { from: `${from}T00:00:00Z` }),
    ...(to !== undefined && { to: `${addDays(to, 1)}T00:00:00Z` }),
  }
}

export const SPANS = ['all', 'today', 'week', 'month'] as const
export type Span = (typeof SPANS)[number] | 'custom'

/** The first day of a span that ends today. */
export function spanStart(span: 'today' | 'week' | 'month', now: number): Day {
  return addDays(dayOf(now), { today: 0, week: -6, month: -29 }[span])
}

export function spanOf({ from, to }: RequestSearch, now: number): Span {
  if (from === undefined && to === undefined) return 'all'
  if (to !== undefined) return 'custom'
  const known = (['today', 'week', 'month'] as const).find((span) => spanStart(span, now) === from)
  return known ?? 'custom'
}
