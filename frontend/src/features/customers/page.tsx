import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback } from 'react'
import { useTroubleText } from '@/api/trouble'
import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { Button } from '@/ui/button'
import { Badge, Card } from '@/ui/card'
import { Money } from '@/ui/money'
import { AsOf, Page } from '@/ui/page'
import { SearchBox } from '@/ui/search-box'
import { Empty, Skeleton, Stateful } from '@/ui/state'
import { Time } from '@/ui/time'
import { VirtualTable, type WideColumn } from '@/ui/virtual-table'
import { type Client, clientsQuery, nameOf } from '../shared/clients'
import { customerMessages } from './messages'
import { customersSearch } from './search'

export function CustomersPage() {
  const t = useMessages(customerMessages)
  const format = useFormat()
  const describe = useTroubleText()
  const { q = '' } = useSearch({ from: '/app/operator/customers' })
  const navigate = useNavigate({ from: '/operator/customers' })
  const search = useCallback((text: string) => void navigate({ search: customersSearch({ q: text }), replace: true }), [navigate])
  const query = useInfiniteQuery(clientsQuery(q.trim()))
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage()
  }, [hasNextPage, isFetchingNextPage, fetchNextPage])
  const rows = {
    data: query.data?.pages.flatMap((page) => page.data),
    isPending: query.isPending,
    trouble: query.error === null ? null : describe(query.error),
    retry: () => void query.refetch(),
  }
  const count = hasNextPage || query.isPlaceholderData ? undefined : rows.data?.length
  return (
    <Page
      title={t.title}
      description={t.description}
      asOf={<AsOf position={query.data?.pages[0]?.as_of_position} readAt={query.dataUpdatedAt} />}
      actions={count !== undefined && <span className="nums text-muted">{t.count(format.number(count), count)}</span>}
    >
      <SearchBox label={t.search} value={q} onChange={search} className="max-w-md" />
      <Card flush>
        <Stateful
          of={rows}
          skeleton={<Skeleton lines={10} />}
          isEmpty={(list) => list.length === 0 && !hasNextPage}
          empty={
            <Empty icon="people" title={q === '' ? t.none : t.noneFit} action={q !== '' && <Button onClick={() => search('')}>{t.clear}</Button>}>
              {q === '' ? t.noneText : t.noneFitText}
            </Empty>
          }
        >
          {(list) => <List rows={list} onEnd={more} />}
        </Stateful>
      </Card>
    </Page>
  )
}

function List({ rows, onEnd }: { rows: readonly Client[]; onEnd: () => void }) {
  const t = useMessages(customerMessages)
  const format = useFormat()
  const navigate = useNavigate()
  const columns: Array<WideColumn<Client>> = [
    { key: 'customer', head: t.customer, cell: (row) => <Name row={row} /> },
    { key: 'state', head: t.state, width: 'w-32', from: 'md', cell: (row) => <ClientState status={row.status} /> },
    { key: 'plan', head: t.plan, width: 'w-24', from: 'xl', cell: (row) => <span className="text-muted">{row.plan ?? '—'}</span> },
    { key: 'requests', head: t.requests, width: 'w-24', right: true, from: 'lg', cell: (row) => format.number(row.requests) },
    { key: 'spent', head: t.spent, width: 'w-32', right: true, from: 'sm', cell: (row) => <Money value={row.lifetime_spent_usd} decimals={4} places={4} /> },
    {
      key: 'balance',
      head: t.balance,
      width: 'w-36',
      right: true,
      cell: (row) => <Money value={row.balance_usd} decimals={2} className="font-medium" />,
    },
    {
      key: 'last',
      head: t.last,
      width: 'w-36',
      right: true,
      from: 'lg',
      cell: (row) =>
        row.last_activity_at == null ? <span className="text-muted">{t.never}</span> : <Time at={row.last_activity_at} relative className="text-muted" />,
    },
  ]
  return (
    <VirtualTable
      label={t.title}
      rows={rows}
      columns={columns}
      rowKey={(row) => row.account_id}
      onRow={(row) => void navigate({ to: '/operator/customers/$id', params: { id: row.account_id } })}
      onEnd={onEnd}
    />
  )
}

function Name({ row }: { row: Client }) {
  const name = nameOf(row)
  return (
    <>
      <Link
        to="/operator/customers/$id"
        params={{ id: row.account_id }}
        className="block truncate leading-5 font-medium hover:underline"
        onClick={(event) => event.stopPropagation()}
      >
        {name}
      </Link>
      <span className="block truncate text-xs leading-4 text-muted">{row.email != null && row.email !== name ? row.email : row.account_id}</span>
    </>
  )
}

export function ClientState({ status }: { status: string }) {
  const t = useMessages(customerMessages)
  if (status === 'active') return <Badge tone="good">{t.states.active}</Badge>
  return <Badge tone="bad">{status === 'suspended' ? t.states.suspended : status}</Badge>
}
