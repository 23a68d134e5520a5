import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback, useMemo } from 'react'
import { useTroubleText } from '@/api/trouble'
import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { Button } from '@/ui/button'
import { Card } from '@/ui/card'
import { Money } from '@/ui/money'
import { AsOf, Page } from '@/ui/page'
import { Empty, Skeleton, Stateful } from '@/ui/state'
import { Time } from '@/ui/time'
import { VirtualTable, type WideColumn } from '@/ui/virtual-table'
import { CsvButton } from '../shared/csv'
import { RequestState } from '../shared/request-state'
import { requestWords } from '../shared/request-words'
import { type RequestItem, requestsQuery } from '../shared/requests'
import { Filters } from './filters'
import { logMessages } from './messages'
import { requestFilter } from './search'

export function RequestsPage() {
  const t = useMessages(logMessages)
  const describe = useTroubleText()
  const search = useSearch({ from: '/app/requests' })
  const navigate = useNavigate({ from: '/requests' })
  const filter = requestFilter(search)
  const query = useInfiniteQuery(requestsQuery(filter))
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage()
  }, [hasNextPage, isFetchingNextPage, fetchNextPage])
  const list = useMemo(() => query.data?.pages.flatMap((page) => page.data), [query.data])
  const filtered = Object.keys(search).length > 0
  const rows = {
    data: list,
    isPending: query.isPending,
    trouble: query.error === null ? null : describe(query.error),
    retry: () => void query.refetch(),
  }
  return (
    <Page
      title={t.title}
      description={t.description}
      asOf={<AsOf position={query.data?.pages[0]?.as_of_position} readAt={query.dataUpdatedAt} />}
      actions={<CsvButton path="/v1/client/requests.csv" query={filter} name="tollgate-requests.csv" />}
    >
      <Filters search={search} onChange={(next) => void navigate({ search: next, replace: true })} />
      <Card flush>
        <Stateful
          of={rows}
          skeleton={<Skeleton lines={12} />}
          isEmpty={(found) => found.length === 0}
          empty={
            <Empty
              icon="list"
              title={filtered ? t.noneFit : t.none}
              action={filtered && <Button onClick={() => void navigate({ search: {} })}>{t.clear}</Button>}
            >
              {filtered ? t.noneFitText : t.noneText}
            </Empty>
          }
        >
          {(shown) => <Log rows={shown} onEnd={more} />}
        </Stateful>
        {isFetchingNextPage && (
          <p className="p-3 text-center text-muted" role="status">
            {t.more}
          </p>
        )}
      </Card>
    </Page>
  )
}

/** Most charges have no more decimals. */
const PLACES = 10

function Log({ rows, onEnd }: { rows: readonly RequestItem[]; onEnd: () => void }) {
  const t = useMessages(logMessages)
  const words = useMessages(requestWords)
  const format = useFormat()
  const navigate = useNavigate()
  const count = (value: number | null | undefined) => (value == null ? '—' : format.number(value))
  const columns: Array<WideColumn<RequestItem>> = [
    {
      key: 'model',
      head: words.model,
      cell: (row) => (
        <>
          <Link
            to="/requests/$id"
            params={{ id: row.id }}
            title={row.model}
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
    { key: 'when', head: t.when, width: 'w-44', from: 'md', cell: (row) => <Time at={row.ended_at} short className="text-muted" /> },
    { key: 'state', head: words.state, width: 'w-32', from: 'lg', cell: (row) => <RequestState state={row.state} /> },
    { key: 'input', head: t.input, width: 'w-20', right: true, from: 'md', cell: (row) => count(row.prompt_tokens) },
    { key: 'output', head: t.output, width: 'w-20', right: true, from: 'md', cell: (row) => count(row.completion_tokens) },
    {
      key: 'duration',
      head: t.duration,
      width: 'w-24',
      right: true,
      from: 'xl',
      cell: (row) => <span className="text-muted">{row.total_ms == null ? '—' : format.duration(row.total_ms)}</span>,
    },
    { key: 'charge', head: words.charge, width: 'w-36', right: true, cell: (row) => <Charge row={row} /> },
  ]
  return (
    <VirtualTable
      label={t.title}
      rows={rows}
      columns={columns}
      rowKey={(row) => row.id}
      onRow={(row) => void navigate({ to: '/requests/$id', params: { id: row.id } })}
      onEnd={onEnd}
    />
  )
}

function Charge({ row }: { row: RequestItem }) {
  const words = useMessages(requestWords)
  if (row.charge_usd == null) return <span className="text-muted">{words.notCharged}</span>
  return (
    <>
      {row.estimated && <span className="mr-1 text-muted" title={words.estimate}>≈</span>}
      <Money value={row.charge_usd} places={PLACES} />
    </>
  )
}
