import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useAsked } from '@/api/trouble'
import { daysFrom, moments } from '@/lib/days'
import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { sum } from '@/lib/money'
import { useNow } from '@/lib/now'
import { Card } from '@/ui/card'
import { BarChart } from '@/ui/chart'
import { DayInput } from '@/ui/day-input'
import { Select } from '@/ui/field'
import { AsOf, Page } from '@/ui/page'
import { ChartSkeleton, Stateful } from '@/ui/state'
import { Segments } from '@/ui/tabs'
import { CsvButton } from '../shared/csv'
import { keysQuery } from '../shared/keys'
import { type Range, type UsageLine, breakdownQuery, seriesOf } from '../shared/usage'
import { usageMessages } from './messages'
import { FACES, type Face, SPAN_NAMES, type Span, rangeOf, usageSearch } from './search'
import { UsageTable } from './table'

export function UsagePage() {
  const t = useMessages(usageMessages)
  const format = useFormat()
  const search = useSearch({ from: '/app/usage' })
  const navigate = useNavigate({ from: '/usage' })
  const range = rangeOf(search, useNow(60_000))
  const face = search.by ?? 'day'
  const query = useQuery(breakdownQuery(face, range))
  const rows = useAsked(query, (page) => (face === 'day' ? page.data.toReversed() : page.data))
  const keyName = useKeyNames()
  const nameOf = (line: UsageLine) => {
    if (face === 'day') return format.date(line.day ?? '')
    return face === 'model' ? (line.model ?? '') : keyName(line.api_key_id)
  }
  const change = (changes: Record<string, unknown>) => void navigate({ search: usageSearch({ ...search, ...changes }), replace: true })
  const span: Span = search.from === undefined ? (search.span ?? 'month') : 'custom'
  const pickSpan = (next: Span) =>
    next === 'custom' ? change({ from: range.from, to: range.to }) : change({ from: undefined, to: undefined, span: next })
  return (
    <Page
      title={t.title}
      description={t.description}
      asOf={<AsOf position={query.data?.as_of_position} readAt={query.dataUpdatedAt} />}
      actions={<CsvButton path="/v1/client/usage.csv" query={moments(range.from, range.to)} name={`tollgate-usage-${range.from}-${range.to}.csv`} />}
    >
      <div className="flex flex-wrap items-center gap-2">
        <Segments
          label={t.by}
          value={face}
          options={FACES.map((value) => ({ value, label: t.faces[value] }))}
          onChange={(by) => change({ by })}
        />
        <div className="flex flex-wrap items-center gap-2 sm:ml-auto">
          {span === 'custom' && (
            <>
              <DayInput label={t.from} value={range.from} onChange={(from) => change({ from, to: from > range.to ? from : range.to })} />
              <DayInput label={t.to} value={range.to} onChange={(to) => change({ to, from: to < range.from ? to : range.from })} />
            </>
          )}
          <div className="w-40">
            <Select
              aria-label={t.span}
              value={span}
              options={[...SPAN_NAMES, 'custom' as const].map((value) => ({ value, label: t.spans[value] }))}
              onChange={pickSpan}
            />
          </div>
        </div>
      </div>
      <Chart face={face} range={range} keyName={keyName} />
      <Card title={t.table} flush>
        <UsageTable rows={rows} name={t[face]} nameOf={nameOf} />
      </Card>
    </Page>
  )
}

function useKeyNames(): (id: string | null | undefined) => string {
  const t = useMessages(usageMessages)
  const keys = useQuery(keysQuery).data?.data ?? []
  const names = new Map(keys.map((key) => [key.id, key.name]))
  return (id) => names.get(id ?? '') ?? t.deleted
}

type ChartProps = { face: Face; range: Range; keyName: (id: string | null | undefined) => string }

/** Stacked by key where keys are looked at, else by model. */
function Chart({ face, range, keyName }: ChartProps) {
  const t = useMessages(usageMessages)
  const format = useFormat()
  const byKey = face === 'key'
  const lines = useAsked(useQuery(breakdownQuery(byKey ? 'day_key' : 'day_model', range)), (page) => page.data)
  const days = daysFrom(range.from, range.to)
  return (
    <Card title={t.chart}>
      <Stateful of={lines} skeleton={<ChartSkeleton />}>
        {(data) => (
          <BarChart
            label={t.chartLabel(format.money(sum(data.map((line) => line.charge_usd)), 6))}
            ticks={days.map(format.day)}
            series={seriesOf(days, data, (line) => (byKey ? keyName(line.api_key_id) : (line.model ?? '')))}
          />
        )}
      </Stateful>
    </Card>
  )
}
