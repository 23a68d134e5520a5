import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useAsked } from '@/api/trouble'
import { addDays, dayOf, daysFrom } from '@/lib/days'
import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { isZero, negate, sum } from '@/lib/money'
import { useNow } from '@/lib/now'
import { buttonClass } from '@/ui/button'
import { Card, Facts, Figure, Notice } from '@/ui/card'
import { BarChart } from '@/ui/chart'
import { Copyable } from '@/ui/copy'
import { Money } from '@/ui/money'
import { AsOf, Page } from '@/ui/page'
import { ChartSkeleton, Skeleton, Stateful } from '@/ui/state'
import { Tabs } from '@/ui/tabs'
import { Time } from '@/ui/time'
import { nameOf } from '../shared/clients'
import { useMayChange } from '../shared/role'
import { seriesOf } from '../shared/usage'
import { ClientActions } from './actions'
import { KeysCard, LimitsCard, MovementsCard, RequestsCard } from './parts'
import { customerMessages } from './messages'
import { ClientState } from './page'
import { type ClientDetail, clientQuery, clientUsageQuery } from './queries'
import { FACES, type Face, customerSearch } from './search'

export function CustomerPage() {
  const t = useMessages(customerMessages)
  const { id } = useParams({ from: '/app/operator/customers/$id' })
  const { show = 'overview' } = useSearch({ from: '/app/operator/customers/$id' })
  const navigate = useNavigate({ from: '/operator/customers/$id' })
  const query = useQuery(clientQuery(id))
  const client = useAsked(query, (data) => data)
  const change = useMayChange()
  const content = (face: Face, data: ClientDetail) => {
    switch (face) {
      case 'overview':
        return <Overview client={data} />
      case 'requests':
        return <RequestsCard account={id} />
      case 'movements':
        return <MovementsCard account={id} />
      case 'keys':
        return <KeysCard account={id} />
      case 'limits':
        return <LimitsCard account={id} />
    }
  }
  return (
    <Page
      title={query.data?.email == null ? t.customer : nameOf(query.data)}
      crumb={
        <Link to="/operator/customers" className="hover:text-ink">
          ← {t.back}
        </Link>
      }
      asOf={<AsOf position={query.data?.as_of_position} readAt={query.dataUpdatedAt} />}
      actions={
        query.data !== undefined && (
          <>
            <Link to="/ledger/accounts/$id" params={{ id }} className={buttonClass()}>
              {t.history}
            </Link>
            {change && <ClientActions client={query.data} />}
          </>
        )
      }
    >
      <Stateful of={client} skeleton={<Card><Skeleton lines={8} /></Card>}>
        {(data) => (
          <>
            {data.suspension != null && (
              <Notice tone="bad">{data.suspension.reason == null ? t.states.suspended : t.suspendedBecause(data.suspension.reason)}</Notice>
            )}
            <Totals client={data} />
            <Tabs
              label={t.faces}
              value={show}
              tabs={FACES.map((face) => ({ value: face, label: t.face[face], content: face === show && content(face, data) }))}
              onChange={(next) => void navigate({ search: customerSearch({ show: next }), replace: true })}
            />
          </>
        )}
      </Stateful>
    </Page>
  )
}

function Totals({ client }: { client: ClientDetail }) {
  const t = useMessages(customerMessages)
  const format = useFormat()
  return (
    <Card>
      <dl className="grid grid-cols-2 gap-x-6 gap-y-5 sm:grid-cols-5">
        <Figure label={t.balance}>
          <Money value={client.balance_usd} decimals={6} />
        </Figure>
        <Figure label={t.reserved}>
          <Money value={client.reserved_usd} decimals={6} />
        </Figure>
        <Figure label={t.available}>
          <Money value={client.available_usd} decimals={6} />
        </Figure>
        <Figure label={t.spent}>
          <Money value={client.lifetime_spent_usd} decimals={6} />
        </Figure>
        <Figure label={t.requests}>
          <span className="nums">{format.number(client.requests)}</span>
        </Figure>
      </dl>
    </Card>
  )
}

const DAYS = 30

function Overview({ client }: { client: ClientDetail }) {
  const t = useMessages(customerMessages)
  const format = useFormat()
  const today = dayOf(useNow(60_000))
  const range = { from: addDays(today, 1 - DAYS), to: today }
  const usage = useAsked(useQuery(clientUsageQuery(client.account_id, range)), (page) => page.data)
  const days = daysFrom(range.from, range.to)
  return (
    <div className="grid items-start gap-4 lg:grid-cols-[3fr_2fr]">
      <Card title={t.charges}>
        <Stateful of={usage} skeleton={<ChartSkeleton />}>
          {(lines) => (
            <BarChart
              label={t.chartLabel(format.money(sum(lines.map((line) => line.charge_usd)), 6))}
              ticks={days.map(format.day)}
              series={seriesOf(days, lines, (line) => line.model ?? '')}
            />
          )}
        </Stateful>
      </Card>
      <div className="min-w-0 space-y-4">
        <About client={client} />
        {client.open_grants.length > 0 && (
          <Card title={t.grants}>
            <Facts
              rows={client.open_grants.map(
                (one) =>
                  [
                    one.expires_at == null ? t.grantForEver : t.grantUntil(format.date(one.expires_at)),
                    <Money key={one.id} value={one.left_usd} />,
                  ] as const,
              )}
            />
          </Card>
        )}
      </div>
    </div>
  )
}

function About({ client }: { client: ClientDetail }) {
  const t = useMessages(customerMessages)
  const amount = (label: string, value: ClientDetail['balance_usd']) =>
    isZero(value) ? null : ([label, <Money key={label} value={value} signed />] as const)
  const text = (label: string, value: string | null | undefined) => (value == null || value === '' ? null : ([label, value] as const))
  return (
    <Card title={t.account}>
      <Facts
        rows={[
          [t.state, <ClientState key="state" status={client.status} />],
          text(t.name, client.name),
          text(t.email, client.email),
          [t.account, <Copyable key="account" text={client.account_id} short />],
          [t.plan, client.plan ?? t.noPlan],
          client.opened_at == null ? null : [t.opened, <Time key="opened" at={client.opened_at} />],
          [t.last, client.last_activity_at == null ? t.never : <Time key="last" at={client.last_activity_at} />],
          amount(t.toppedUp, client.lifetime_topped_up_usd),
          amount(t.refunded, negate(client.lifetime_refunded_usd)),
          amount(t.granted, client.lifetime_granted_usd),
          amount(t.expired, negate(client.lifetime_expired_usd)),
          amount(t.adjusted, client.lifetime_adjusted_usd),
          amount(t.spent, negate(client.lifetime_spent_usd)),
        ]}
      />
    </Card>
  )
}
