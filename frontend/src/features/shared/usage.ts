import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { api } from '@/api/client'
import { unwrap } from '@/api/error'
import { atLeast } from '@/api/position'
import { REFRESH_MS } from '@/api/queries'
import type { components, operations } from '@/api/schema'
import { type Day, daysFrom, moments } from '@/lib/days'
import { groupBy } from '@/lib/group'
import { type Money, ZERO, compare, sum } from '@/lib/money'

export type UsageLine = components['schemas']['UsageLineItem']
export type GroupBy = NonNullable<NonNullable<operations['show_usage_breakdown']['parameters']['query']>['group_by']>
export type Range = { from: Day; to: Day }

/** Usage of whole days, line by line. */
export const breakdownQuery = (group_by: GroupBy, { from, to }: Range) =>
  queryOptions({
    queryKey: ['usage', group_by, from, to],
    queryFn: ({ signal }) => {
      const query = { group_by, ...moments(from, to), ...atLeast() }
      return unwrap(api.GET('/v1/client/usage/breakdown', { params: { query }, signal }))
    },
    refetchInterval: REFRESH_MS,
    placeholderData: keepPreviousData,
  })

/** What was charged on each day of a range; days without use are there too, with nothing. */
export function chargesByDay({ from, to }: Range, usage: readonly UsageLine[]): Array<{ day: Day; charge: Money }> {
  const charges = groupBy(usage, (line) => line.day)
  return daysFrom(from, to).map((day) => ({ day, charge: sum((charges.get(day) ?? []).map((line) => line.charge_usd)) }))
}

/** One series of charges for each name, the dearest first, all over the same days. */
export function seriesOf(days: readonly Day[], usage: readonly UsageLine[], nameOf: (line: UsageLine) => string) {
  const named = [...groupBy(usage, nameOf)].map(([name, lines]) => {
    const charges = new Map(lines.map((line) => [line.day, line.charge_usd]))
    return { name, values: days.map((day) => charges.get(day) ?? ZERO), total: sum(lines.map((line) => line.charge_usd)) }
  })
  return named.toSorted((a, b) => compare(b.total, a.total)).filter(({ total }) => compare(total, ZERO) > 0)
}
