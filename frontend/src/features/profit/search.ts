import { type Day, isDay } from '@/lib/days'
import { type Money, compare, share, sum } from '@/lib/money'
import { SPAN_NAMES, type Span } from '../usage/search'
import type { Face, ProfitLine } from './queries'

export const FACES = ['day', 'model', 'account', 'master_account'] as const

export type ProfitSearch = { by?: Face; span?: Exclude<Span, 'custom'>; from?: Day; to?: Day }

/** What of a link's parameters means something. */
export function profitSearch(search: Record<string, unknown>): ProfitSearch {
  const by = FACES.find((known) => known === search['by'])
  const span = SPAN_NAMES.find((known) => known === search['span'])
  const { from, to } = search
  const days = isDay(from) && isDay(to) && from <= to
  return {
    ...(by !== undefined && by !== 'day' && { by }),
    ...(days ? { from, to } : span !== undefined && span !== 'month' && { span }),
  }
}

export type Totals = { charge: Money; cost: Money; waived: Money; margin: Money; requests: number }

export function totalsOf(lines: readonly ProfitLine[]): Totals {
  return {
    charge: sum(lines.map((line) => line.charge_usd)),
    cost: sum(lines.map((line) => line.cost_usd)),
    waived: sum(lines.map((line) => line.waived_usd)),
    margin: sum(lines.map((line) => line.margin_usd)),
    requests: lines.reduce((all, line) => all + line.requests, 0),
  }
}

/** Margin as a part of the revenue; null where there was none. */
export function marginShare(margin: Money, charge: Money): number | null {
  return compare(charge, sum([])) > 0 ? share(margin, charge) : null
}
