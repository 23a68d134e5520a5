import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { balanceQuery } from '@/api/queries'
import { useAsked } from '@/api/trouble'
import { addDays, dayOf, daysFrom, firstOfMonth } from '@/lib/days'
import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { compare, sum, ZERO } from '@/lib/money'
import { useNow } from '@/lib/now'
import { buttonClass } from '@/ui/button'
import { Card, Figure, Notice } from '@/ui/card'
import { BarChart } from '@/ui/chart'
import { Money } from '@/ui/money'
import { AsOf, Page } from '@/ui/page'
import { ChartSkeleton, Empty, Skeleton, Stateful } from '@/ui/state'
import { ModelBars } from '../shared/model-bars'
import { latestQuery } from '../shared/requests'
import { breakdownQuery, chargesByDay, seriesOf } from '../shared/usage'
import { FirstSteps } from './first-steps'
import { LatestRequests } from './latest'
import { overviewMessages } from './messages'
import { paceDays, runwayDays } from './runway'

const CHART_DAYS = 30
const PACE_DAYS = 8

export function OverviewPage() {
  const t = useMessages(overviewMessages)
  const balance = useQuery(balanceQuery)
  const latest = useQuery(latestQuery)
  const fresh = latest.data?.data.length === 0
  const position = Math.max(balance.data?.as_of_position ?? 0, latest.data?.as_of_position ?? 0)
  return (
    <Page title={t.title} asOf={<AsOf position={position === 0 ? undefined : position} readAt={balance.dataUpdatedAt} />}>
      <Warnings />
      <Balance />
      {latest.isPending ? (
        <Card>
          <Skeleton lines={8} />
        </Card>
      ) : fresh ? (
        <FirstSteps />
      ) : (
        <>
          <Charges />
          <LatestRequests />
        </>
      )}
    </Page>
  )
}

function Warnings() {
  const t = useMessages(overviewMessages)
  const { data } = useQuery(balanceQuery)
  if (data === undefined) return null
  if (data.status === 'suspended') return <Notice tone="bad">{t.suspended}</Notice>
  if (compare(data.available_usd, ZERO) > 0) return null
  return (
    <Notice
      tone="warn"
      actions={
        <Link to="/billing" className={buttonClass('plain', true)}>
          {t.billing}
        </Link>
      }
    >
      {t.empty}
    </Notice>
  )
}

function Balance() {
  const t = useMessages(overviewMessages)
  const today = dayOf(useNow(60_000))
  const from = [firstOfMonth(today), addDays(today, 1 - CHART_DAYS)].toSorted()[0] ?? today
  const daily = useQuery(breakdownQuery('day', { from, to: today }))
  const balance = useAsked(useQuery(balanceQuery), (data) => data)
  const days = chargesByDay({ from, to: today }, daily.data?.data ?? [])
  const month = days.filter(({ day }) => day >= firstOfMonth(today))
  return (
    <Card>
      <Stateful of={balance} skeleton={<Skeleton lines={2} />}>
        {(data) => (
          <dl className="grid grid-cols-2 gap-x-6 gap-y-5 sm:grid-cols-3 lg:grid-cols-6">
            <Figure label={t.available}>
              <Money value={data.available_usd} decimals={4} down />
            </Figure>
            <Figure label={t.balance}>
              <Money value={data.balance_usd} decimals={4} down />
            </Figure>
            <Figure label={t.reserved}>
              <Money value={data.reserved_usd} decimals={4} />
            </Figure>
            <Figure label={t.today}>
              <Money value={days.at(-1)?.charge ?? ZERO} decimals={4} />
            </Figure>
            <Figure label={t.month}>
              <Money value={sum(month.map(({ charge }) => charge))} decimals={4} />
            </Figure>
            <Runway available={data.available_usd} days={paceDays(days.slice(-PACE_DAYS)).map(({ charge }) => charge)} />
          </dl>
        )}
      </Stateful>
    </Card>
  )
}

function Runway({ available, days }: { available: Parameters<typeof runwayDays>[0]; days: Parameters<typeof runwayDays>[1] }) {
  const t = useMessages(overviewMessages)
  const format = useFormat()
  const left = runwayDays(available, days)
  if (days.length === 0) return <Figure label={t.lasts}>{t.lastsUnknown}</Figure>
  return <Figure label={t.lasts}>{left === null ? t.lastsLong : t.days(left, format.number(left))}</Figure>
}

function Charges() {
  const t = useMessages(overviewMessages)
  const format = useFormat()
  const today = dayOf(useNow(60_000))
  const range = { from: addDays(today, 1 - CHART_DAYS), to: today }
  const days = daysFrom(range.from, range.to)
  const daily = useAsked(useQuery(breakdownQuery('day_model', range)), (page) => seriesOf(days, page.data, (line) => line.model ?? ''))
  const models = useAsked(useQuery(breakdownQuery('model', range)), (page) => page.data.filter((line) => line.requests > 0))
  return (
    <div className="grid gap-4 lg:grid-cols-[5fr_3fr]">
      <Card title={t.charges} actions={<span className="text-[0.8125rem] text-muted">{t.thirtyDays}</span>}>
        <Stateful of={daily} skeleton={<ChartSkeleton />}>
          {(series) => {
            const label = t.chargesChart(format.money(sum(series.map(({ total }) => total)), 4))
            return <BarChart label={label} ticks={days.map(format.day)} series={series} legend={false} />
          }}
        </Stateful>
      </Card>
      <Card title={t.byModel} actions={<span className="text-[0.8125rem] text-muted">{t.thirtyDays}</span>}>
        <Stateful of={models} isEmpty={(lines) => lines.length === 0} empty={<Empty icon="chart" title={t.noCharges} />}>
          {(lines) => (
            <ModelBars
              bars={lines.slice(0, 6).map((line) => ({
                name: line.model ?? '',
                charge: line.charge_usd,
                note: t.requests(line.requests, format.number(line.requests)),
              }))}
            />
          )}
        </Stateful>
      </Card>
    </div>
  )
}
