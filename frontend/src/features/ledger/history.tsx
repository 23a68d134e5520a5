import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useCallback } from 'react'
import { useTroubleText } from '@/api/trouble'
import { useMessages } from '@/lib/i18n'
import { isZero } from '@/lib/money'
import { Card } from '@/ui/card'
import { Money } from '@/ui/money'
import { AsOf, Page } from '@/ui/page'
import { Empty, Skeleton, Stateful } from '@/ui/state'
import { Segments } from '@/ui/tabs'
import { Time } from '@/ui/time'
import { VirtualTable, type WideColumn } from '@/ui/virtual-table'
import { EventLink } from '../shared/event-link'
import { eventWords } from '../shared/event-words'
import { ledgerMessages } from './messages'
import { type HistoryItem, accountHistoryQuery } from './queries'

/** An account as a line of time, with the balance after each event. */
export function AccountHistoryPage() {
  const t = useMessages(ledgerMessages)
  const describe = useTroubleText()
  const { id } = useParams({ from: '/app/ledger/accounts/$id' })
  const { all } = useSearch({ from: '/app/ledger/accounts/$id' })
  const navigate = useNavigate({ from: '/ledger/accounts/$id' })
  const query = useInfiniteQuery(accountHistoryQuery(id, all !== true))
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
  return (
    <Page
      title={t.historyOf}
      description={<code className="font-mono text-[0.8125rem] break-all">{id}</code>}
      crumb={
        <Link to="/operator/customers/$id" params={{ id }} className="hover:text-ink">
          ← {t.streamTypes.account}
        </Link>
      }
      asOf={<AsOf position={query.data?.pages[0]?.as_of_position} readAt={query.dataUpdatedAt} />}
      actions={
        <Segments
          label={t.show}
          value={all === true ? 'all' : 'money'}
          options={[
            { value: 'money', label: t.moneyOnly },
            { value: 'all', label: t.everything },
          ]}
          onChange={(next) => void navigate({ search: next === 'all' ? { all: true } : {}, replace: true })}
        />
      }
    >
      <Card flush>
        <Stateful
          of={rows}
          skeleton={<Skeleton lines={10} />}
          isEmpty={(list) => list.length === 0}
          empty={<Empty icon="book" title={t.noHistory}>{t.noHistoryText}</Empty>}
        >
          {(list) => <Line rows={list} onEnd={more} />}
        </Stateful>
      </Card>
    </Page>
  )
}

function Line({ rows, onEnd }: { rows: readonly HistoryItem[]; onEnd: () => void }) {
  const t = useMessages(ledgerMessages)
  const { types } = useMessages(eventWords)
  const columns: Array<WideColumn<HistoryItem>> = [
    { key: 'event', head: t.event, width: 'w-20', cell: (row) => <EventLink position={row.position} /> },
    { key: 'what', head: t.what, cell: (row) => <span title={row.event_type}>{types[row.event_type] ?? row.event_type}</span> },
    { key: 'when', head: t.when, width: 'w-44', from: 'md', cell: (row) => <Time at={row.recorded_at} short className="text-muted" /> },
    {
      key: 'change',
      head: t.change,
      width: 'w-40',
      right: true,
      from: 'sm',
      cell: (row) => (isZero(row.change_usd) ? <span className="text-faint">—</span> : <Money value={row.change_usd} signed places={10} />),
    },
    {
      key: 'balance',
      head: t.balance,
      width: 'w-40',
      right: true,
      cell: (row) => <Money value={row.balance_usd} places={10} className="font-medium" />,
    },
  ]
  return <VirtualTable label={t.history} rows={rows} columns={columns} rowKey={(row) => String(row.position)} onEnd={onEnd} />
}
