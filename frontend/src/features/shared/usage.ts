import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { api } from '@/api/client'
import { unwrap } from '@/api/error'
import { atLeast } from '@/api/position'
import { REFRESH_MS } from '@/api/queries'
import type { components } from '@/api/schema'
import { type Day, daysFrom, moments } from '@/lib/days'
import { type Money, ZERO } from '@/lib/money'

export type DailyUsage = components['schemas']['DailyUsageItem']
export type ModelUsage = components['schemas']['ModelUsageItem']

export function dailyQuery(from: Day, to: Day) {
  return queryOptions({
    queryKey: ['usage', 'daily', from, to],
    queryFn: ({ signal }) =>
      unwrap(api.GET('/v1/client/usage/daily', { params: { query: { ...moments(from, to), ...atLeast() } }, signal })),
    refetchInterval: REFRESH_MS,
    placeholderData: keepPreviousData,
  })
}

export function modelsQuery(from: Day, to: Day) {
  return queryOptions({
    queryKey: ['usage', 'models', from, to],
    queryFn: ({ signal }) =>
      unwrap(api.GET('/v1/client/models/usage', { params: { query: { ...moments(from, to), ...atLeast() } }, signal })),
    refetchInterval: REFRESH_MS,
    placeholderData: keepPreviousData,
  })
}

/** What was charged on each day of a range; days without use are there too, with nothing. */
export function chargesByDay(from: Day, to: Day, usage: readonly DailyUsage[]): Array<{ day: Day; charge: Money }> {
  const charges = new Map(usage.map((entry) => [entry.day, entry.charge_usd]))
  return daysFrom(from, to).map((day) => ({ day, charge: charges.get(day) ?? ZERO }))
}
