import { type Money, isNegative, sum, toPico } from '@/lib/money'

/** How many whole days the money lasts at the pace of these days; null where nothing was spent or the end is too far. */
export function runwayDays(available: Money, charges: readonly Money[]): number | null {
  const spent = toPico(sum(charges))
  if (spent <= 0n || charges.length === 0) return null
  if (isNegative(available)) return 0
  const days = (toPico(available) * BigInt(charges.length)) / spent
  return days > 3_650n ? null : Number(days)
}

/** The days that tell the pace: those since the first use, today not counted unless it is the only one. */
export function paceDays<T extends { charge: Money }>(days: readonly T[]): readonly T[] {
  const first = days.findIndex(({ charge }) => toPico(charge) > 0n)
  if (first === -1) return []
  const since = days.slice(first)
  return since.length > 1 ? since.slice(0, -1) : since
}
