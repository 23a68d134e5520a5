import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useAsked } from '@/api/trouble'
import { daysFrom, moments } from '@/lib/days'
import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { compare, isNegative, sum } from '@/lib/money'
import { useNow } from '@/lib/now'
import { Card, Figure } from '@/ui/card'
import { DayInput } from '@/ui/day-input'
import { Select } from '@/ui/field'
import { Money } from '@/ui/money'
import { AsOf, Page } from '@/ui/page'
import { ChartSkeleton, Stateful } from '@/ui/state'
import { Segments } from '@/ui/tabs'
import { mastersQuery } from '../shared/clients'
import { CsvButton } from '../shared/csv'
import type { Range } from '../shared/usage'
import { SPAN_NAMES, type Span, rangeOf } from '../usage/search'
import { ProfitChart } from './chart'
import { profitMessages } from './messages'
import { type Face, type ProfitLine, profitQuery } from './queries'
import { FACES, marginShare, profitSearch, totalsOf } from './search'
import { ProfitTable } from './table'

export function ProfitPage() {
  const t = useMessages(profitMessages)
  const search = useSearch({ from: '/app/operator/profit' })
  const navigate = useNavigate({ from: '/operator/profit' })
  const { by: face = 'day', ...chosen } = search
  const range = rangeOf(chosen, useNow(60_000))
  const query = useQuery(profitQuery(face, range))
  const name = useNames(face)
  const rows = useAsked(query, (page) =>
    face === 'day' ? page.data.toReversed() : page.data.toSorted((a, b) => compare(b.margin_usd, a.margin_usd)),
  )
  const change = (changes: Record<string, unknown>) => void navigate({ search: profitSearch({ ...search, ...changes }), replace: true })
  const span: Span = search.from === undefined ? (search.span ?? 'month') : 'custom'
  const pickSpan = (next: Span) =>
    next === 'custom' ? change({ from: range.from, to: range.to }) : change({ from: undefined, to: undefined, span: next })
  return (
    <Page title={t.title} description={t.description} asOf={<AsOf position={query.data?.as_of_position} readAt={query.dataUpdatedAt} />}>
      <div className="flex flex-wrap items-center justify-end gap-2">
        {span === 'custom' && (
          <>
            <DayInput label={t.from} value={range.from} onChange={(from) => change({ from, to: from > range.to ? from : range.to })} />
            <DayInput label={t.to} value={range.to} onChange={(to) => change({ to, from: to < range.from ? to : range.from })} />
          </>
        )}
        <CsvButton
          path="/v1/admin/profit.csv"
          query={{ group_by: face, ...moments(range.from, range.to) }}
          name={`profit-${range.from}-${range.to}.csv`}
        />
        <div className="w-40">
          <Select
            aria-label={t.span}
            value={span}
            options={[...SPAN_NAMES, 'custom' as const].map((value) => ({ value, label: t.spans[value] }))}
            onChange={pickSpan}
          />
        </div>
      </div>
      <Days range={range} />
      <div className="max-w-full overflow-x-auto">
        <Segments
          label={t.by}
          value={face}
          options={FACES.map((value) => ({ value, label: t.faces[value] }))}
          onChange={(by) => change({ by })}
        />
      </div>
      <Card title={t.table} flush>
        <ProfitTable rows={rows} name={t.faces[face]} nameOf={name} />
      </Card>
    </Page>
  )
}

/** What a line of the report is about, with a link to it. */
function useNames(face: Face): (line: ProfitLine) => ReactNode {
  const t = useMessages(profitMessages)
  const format = useFormat()
  const masters = useQuery({ ...mastersQuery, enabled: face === 'master_account' }).data?.data ?? []
  return ({ name, customer }) => {
    switch (face) {
      case 'day':
        return format.date(name)
      case 'model':
        return name
      case 'account':
        return (
          <Link to="/operator/customers/$id" params={{ id: name }} className="hover:underline">
            {customer ?? name}
          </Link>
        )
      case 'master_account':
        return masters.find(({ id }) => id === name)?.label ?? (name === '' ? t.unknown : name)
    }
  }
}

function Loading({ title }: { title: string }) {
  return (
    <>
      <Card>
        <div className="skeleton h-44 sm:h-17" />
      </Card>
      <Card title={title}>
        <ChartSkeleton />
      </Card>
    </>
  )
}

function Days({ range }: { range: Range }) {
  const t = useMessages(profitMessages)
  const format = useFormat()
  const lines = useAsked(useQuery(profitQuery('day', range)), (page) => page.data)
  const days = daysFrom(range.from, range.to)
  return (
    <Stateful of={lines} skeleton={<Loading title={t.chart} />}>
      {(data) => {
        const totals = totalsOf(data)
        const part = marginShare(totals.margin, totals.charge)
        const cost = sum([totals.cost, totals.waived])
        return (
          <>
            <Card>
              <dl className="grid grid-cols-2 gap-x-6 gap-y-5 sm:grid-cols-5" data-testid="profit">
                <Figure label={t.revenue}>
                  <Money value={totals.charge} decimals={6} />
                </Figure>
                <Figure label={t.cost}>
                  <Money value={totals.cost} decimals={6} />
                </Figure>
                <Figure label={t.waived}>
                  <span title={t.waivedNote}>
                    <Money value={totals.waived} decimals={6} />
                  </span>
                </Figure>
                <Figure label={t.margin} note={part === null ? undefined : t.ofRevenue(format.percent(part, 1))}>
                  <Money value={totals.margin} decimals={6} className={isNegative(totals.margin) ? 'text-bad' : 'text-good'} />
                </Figure>
                <Figure label={t.requests}>
                  <span className="nums">{format.number(totals.requests)}</span>
                </Figure>
              </dl>
            </Card>
            <Card title={t.chart}>
              <ProfitChart
                label={t.chartLabel(format.money(totals.charge, 6), format.money(cost, 6))}
                ticks={days.map(format.day)}
                days={days.map((day) => data.find(({ name }) => name === day))}
              />
            </Card>
          </>
        )
      }}
    </Stateful>
  )
}
