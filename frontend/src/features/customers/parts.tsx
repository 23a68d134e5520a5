import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useAsked } from '@/api/trouble'
import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { Badge, Card } from '@/ui/card'
import { Copyable } from '@/ui/copy'
import { Money } from '@/ui/money'
import { Empty, Skeleton, Stateful } from '@/ui/state'
import { type Column, Table } from '@/ui/table'
import { Time } from '@/ui/time'
import { EventLink } from '../shared/event-link'
import { Paged } from '../shared/paged'
import { RequestState } from '../shared/request-state'
import { requestWords } from '../shared/request-words'
import { customerMessages } from './messages'
import {
  type ClientKey, type LogItem, type Movement, clientKeysQuery, clientLimitsQuery, clientMovementsQuery, clientRequestsQuery,
} from './queries'

export function RequestsCard({ account }: { account: string }) {
  const t = useMessages(customerMessages)
  const words = useMessages(requestWords)
  const format = useFormat()
  const navigate = useNavigate()
  const columns: Array<Column<LogItem>> = [
    {
      key: 'model',
      head: words.model,
      grow: true,
      cell: (row) => (
        <>
          <Link
            to="/operator/requests/$id"
            params={{ id: row.reservation_id }}
            aria-label={words.open(row.model)}
            className="block truncate leading-6 font-medium hover:underline"
            onClick={(event) => event.stopPropagation()}
          >
            {row.model}
          </Link>
          <Time at={row.ended_at} short className="block text-xs leading-4 text-muted md:hidden" />
        </>
      ),
    },
    { key: 'when', head: t.when, from: 'md', cell: (row) => <Time at={row.ended_at} short className="text-muted" /> },
    { key: 'state', head: words.state, from: 'sm', cell: (row) => <RequestState state={row.state} /> },
    {
      key: 'tokens',
      head: words.tokens,
      right: true,
      from: 'lg',
      cell: (row) => (row.prompt_tokens == null ? '—' : `${format.number(row.prompt_tokens)} → ${format.number(row.completion_tokens ?? 0)}`),
    },
    { key: 'cost', head: t.cost, right: true, from: 'md', cell: (row) => <Maybe value={row.cost_usd} muted /> },
    { key: 'charge', head: words.charge, right: true, cell: (row) => <Maybe value={row.charge_usd} /> },
  ]
  return (
    <Paged
      query={useInfiniteQuery(clientRequestsQuery(account))}
      label={t.face.requests}
      columns={columns}
      rowKey={(row) => row.reservation_id}
      onRow={(row) => void navigate({ to: '/operator/requests/$id', params: { id: row.reservation_id } })}
      empty={<Empty icon="list" title={t.noRequests}>{t.noRequestsText}</Empty>}
    />
  )
}

function Maybe({ value, muted = false }: { value: LogItem['charge_usd']; muted?: boolean }) {
  if (value == null) return <span className="text-faint">—</span>
  return <Money value={value} places={10} {...(muted && { className: 'text-muted' })} />
}

function isKind(kind: string): kind is 'top_up' | 'refund' | 'grant' | 'grant_expired' | 'adjustment' {
  return ['top_up', 'refund', 'grant', 'grant_expired', 'adjustment'].includes(kind)
}

export function MovementsCard({ account }: { account: string }) {
  const t = useMessages(customerMessages)
  const columns: Array<Column<Movement>> = [
    { key: 'kind', head: t.kind, cell: (row) => <Badge tone={row.amount_usd.startsWith('-') ? 'plain' : 'good'}>{isKind(row.kind) ? t.kinds[row.kind] : row.kind}</Badge> },
    {
      key: 'reference',
      head: t.reference,
      grow: true,
      cell: (row) => (
        <>
          <span className="block truncate" title={row.reference ?? row.id}>
            {row.reference ?? <code className="font-mono text-[0.8125rem] text-muted">{row.id}</code>}
          </span>
          {row.reason != null && <span className="block truncate text-[0.8125rem] text-muted" title={row.reason}>{row.reason}</span>}
        </>
      ),
    },
    { key: 'event', head: t.event, right: true, from: 'md', cell: (row) => <EventLink position={row.position} /> },
    { key: 'when', head: t.when, from: 'sm', cell: (row) => <Time at={row.at} className="text-muted" /> },
    { key: 'amount', head: t.amount, right: true, cell: (row) => <Money value={row.amount_usd} signed className="font-medium" /> },
  ]
  return (
    <Paged
      query={useInfiniteQuery(clientMovementsQuery(account))}
      label={t.face.movements}
      columns={columns}
      rowKey={(row) => `${row.position}-${row.id}`}
      empty={<Empty icon="card" title={t.noMovements}>{t.noMovementsText}</Empty>}
    />
  )
}

export function KeysCard({ account }: { account: string }) {
  const t = useMessages(customerMessages)
  const format = useFormat()
  const columns: Array<Column<ClientKey>> = [
    {
      key: 'key',
      head: t.key,
      grow: true,
      cell: (row) => (
        <>
          <span className="block truncate font-medium">{row.name ?? <Copyable text={row.id} short />}</span>
          <code className="block truncate font-mono text-xs text-muted">{row.masked}</code>
        </>
      ),
    },
    {
      key: 'state',
      head: t.state,
      from: 'sm',
      cell: (row) => (row.revoked_at == null ? <Badge tone="good">{t.keyStates.works}</Badge> : <Badge>{t.keyStates.revoked}</Badge>),
    },
    {
      key: 'limit',
      head: t.limit,
      right: true,
      from: 'md',
      cell: (row) => (row.limit_usd == null ? <span className="text-muted">{t.noLimit}</span> : <Money value={row.limit_usd} decimals={2} />),
    },
    { key: 'requests', head: t.requests, right: true, from: 'md', cell: (row) => format.number(row.requests) },
    { key: 'tokens', head: t.tokens, right: true, from: 'lg', cell: (row) => format.compact(row.tokens) },
    {
      key: 'used',
      head: t.used,
      from: 'lg',
      cell: (row) => (row.last_used_at == null ? <span className="text-muted">{t.never}</span> : <Time at={row.last_used_at} relative className="text-muted" />),
    },
    { key: 'spent', head: t.spent, right: true, cell: (row) => <Money value={row.charge_usd} decimals={6} /> },
  ]
  return (
    <Paged
      query={useInfiniteQuery(clientKeysQuery(account))}
      label={t.face.keys}
      columns={columns}
      rowKey={(row) => row.id}
      empty={<Empty icon="key" title={t.noKeys}>{t.noKeysText}</Empty>}
    />
  )
}

type LimitRow = { key: string; name: string; account: string; force: string; owner: string }

export function LimitsCard({ account }: { account: string }) {
  const t = useMessages(customerMessages)
  const format = useFormat()
  const asked = useAsked(useQuery(clientLimitsQuery(account)), (data) => data)
  const usd = (value: LogItem['charge_usd']) => (value == null ? t.noLimit : format.money(value))
  const count = (value: number | null | undefined) => (value == null ? t.noLimit : format.number(value))
  const columns: Array<Column<LimitRow>> = [
    { key: 'name', head: t.limit, grow: true, cell: (row) => row.name },
    { key: 'account', head: t.ofAccount, right: true, cell: (row) => <span className="nums text-muted">{row.account}</span> },
    { key: 'force', head: t.inForce, right: true, cell: (row) => <span className="nums font-medium">{row.force}</span> },
    { key: 'owner', head: t.ofOwner, right: true, from: 'sm', cell: (row) => <span className="nums text-muted">{row.owner}</span> },
  ]
  return (
    <Stateful of={asked} skeleton={<Card><Skeleton lines={5} /></Card>}>
      {({ of_account: of, allowed, own, today, this_month: month, plan }) => {
        const rows: LimitRow[] = [
          { key: 'daily', name: t.limitRows.daily, account: usd(of.daily_limit_usd), force: usd(allowed.daily_limit_usd), owner: usd(own.daily_limit_usd) },
          { key: 'monthly', name: t.limitRows.monthly, account: usd(of.monthly_limit_usd), force: usd(allowed.monthly_limit_usd), owner: usd(own.monthly_limit_usd) },
          { key: 'rpm', name: t.limitRows.rpm, account: count(of.requests_per_minute), force: count(allowed.requests_per_minute), owner: '—' },
          { key: 'tpm', name: t.limitRows.tpm, account: count(of.tokens_per_minute), force: count(allowed.tokens_per_minute), owner: '—' },
          { key: 'concurrent', name: t.limitRows.concurrent, account: count(of.concurrent_requests), force: count(allowed.concurrent_requests), owner: '—' },
        ]
        return (
          <Card title={`${t.plan}: ${plan ?? t.noPlan}`} flush>
            <Table
              label={t.limitsTitle}
              rows={{ data: rows, isPending: false, trouble: null, retry: () => undefined }}
              columns={columns}
              rowKey={(row) => row.key}
              empty={null}
            />
            <div className="border-t border-line px-4 py-3 text-[0.8125rem] text-muted sm:px-5">
              <p className="nums">
                {t.spentToday}: {format.money(today.spent_usd)} · {t.spentMonth}: {format.money(month.spent_usd)}
              </p>
              <p className="mt-1">{t.limitsNote}</p>
            </div>
          </Card>
        )
      }}
    </Stateful>
  )
}
