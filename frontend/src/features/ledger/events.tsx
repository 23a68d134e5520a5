import { useInfiniteQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback, useEffect } from 'react'
import { useTroubleText } from '@/api/trouble'
import { useMessages } from '@/lib/i18n'
import { Button } from '@/ui/button'
import { Card } from '@/ui/card'
import { DayInput } from '@/ui/day-input'
import { Select } from '@/ui/field'
import { AsOf, Page } from '@/ui/page'
import { SearchBox } from '@/ui/search-box'
import { Empty, Skeleton, Stateful } from '@/ui/state'
import { Time } from '@/ui/time'
import { VirtualTable, type WideColumn } from '@/ui/virtual-table'
import { CsvButton } from '../shared/csv'
import { EventLink } from '../shared/event-link'
import { eventWords } from '../shared/event-words'
import { ledgerMessages } from './messages'
import { type EventItem, eventsQuery } from './queries'
import { type EventsSearch, eventFilter as csvFilter, eventsSearch } from './search'

/** As many rows as fill a screen: pages may be short where what is looked for is rare. */
const SCREEN = 30

export function LedgerPage() {
  const t = useMessages(ledgerMessages)
  const describe = useTroubleText()
  const search = useSearch({ from: '/app/ledger' })
  const navigate = useNavigate({ from: '/ledger' })
  const query = useInfiniteQuery(eventsQuery(search))
  const { hasNextPage, isFetchingNextPage, fetchNextPage, isError } = query
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage()
  }, [hasNextPage, isFetchingNextPage, fetchNextPage])
  const list = query.data?.pages.flatMap((page) => page.data)
  const few = list !== undefined && list.length < SCREEN
  useEffect(() => {
    if (few && !isError) more()
  }, [few, isError, more])
  const rows = {
    data: list?.length === 0 && hasNextPage ? undefined : list,
    isPending: query.isPending,
    trouble: query.error === null ? null : describe(query.error),
    retry: () => void query.refetch(),
  }
  const filtered = Object.keys(search).length > 0
  return (
    <Page
      title={t.title}
      description={t.description}
      asOf={<AsOf position={query.data?.pages[0]?.as_of_position} readAt={query.dataUpdatedAt} />}
      actions={<CsvButton path="/v1/ledger/events.csv" query={csvFilter(search)} name="ledger.csv" />}
    >
      <Filters search={search} onChange={(next) => void navigate({ search: eventsSearch(next), replace: true })} />
      <Card flush>
        <Stateful
          of={rows}
          skeleton={<Skeleton lines={12} />}
          isEmpty={(all) => all.length === 0}
          empty={
            <Empty
              icon="book"
              title={filtered ? t.none : t.noEvents}
              action={filtered && <Button onClick={() => void navigate({ search: {} })}>{t.clear}</Button>}
            >
              {filtered ? t.noneText : t.noEventsText}
            </Empty>
          }
        >
          {(all) => <Log rows={all} onEnd={more} />}
        </Stateful>
      </Card>
    </Page>
  )
}

const ALL = ''

function Filters({ search, onChange }: { search: EventsSearch; onChange: (search: Record<string, unknown>) => void }) {
  const t = useMessages(ledgerMessages)
  const { types } = useMessages(eventWords)
  const known = Object.entries(types).map(([value, label]) => ({ value, label }))
  const { type } = search
  const other = type === undefined || type in types ? [] : [{ value: type, label: type }]
  return (
    <div className="flex flex-wrap items-center gap-2">
      <SearchBox label={t.streamSearch} value={search.stream ?? ''} onChange={(stream) => onChange({ ...search, stream })} className="min-w-64 flex-1" />
      <div className="w-60 max-sm:w-full">
        <Select
          aria-label={t.type}
          value={type ?? ALL}
          options={[{ value: ALL, label: t.allTypes }, ...known, ...other]}
          onChange={(next) => onChange({ ...search, type: next })}
        />
      </div>
      <DayInput label={t.from} value={search.from} onChange={(from) => onChange({ ...search, from })} />
      <DayInput label={t.to} value={search.to} onChange={(to) => onChange({ ...search, to })} />
    </div>
  )
}

function Log({ rows, onEnd }: { rows: readonly EventItem[]; onEnd: () => void }) {
  const t = useMessages(ledgerMessages)
  const { types } = useMessages(eventWords)
  const navigate = useNavigate()
  const columns: Array<WideColumn<EventItem>> = [
    { key: 'event', head: t.event, width: 'w-24', cell: (row) => <EventLink position={row.position} /> },
    { key: 'what', head: t.what, cell: (row) => <span title={row.event_type} className="font-medium">{types[row.event_type] ?? row.event_type}</span> },
    { key: 'stream', head: t.stream, width: 'w-80', from: 'lg', cell: (row) => <code className="font-mono text-[0.8125rem] text-muted">{row.stream}</code> },
    { key: 'hash', head: t.hash, width: 'w-32', from: 'xl', cell: (row) => <code className="font-mono text-[0.8125rem] text-faint" title={row.hash}>{row.hash.slice(0, 10)}…</code> },
    { key: 'when', head: t.when, width: 'w-44', right: true, from: 'sm', cell: (row) => <Time at={row.recorded_at} short className="text-muted" /> },
  ]
  return (
    <VirtualTable
      label={t.title}
      rows={rows}
      columns={columns}
      rowKey={(row) => String(row.position)}
      onRow={(row) => void navigate({ to: '/ledger/events/$position', params: { position: String(row.position) } })}
      onEnd={onEnd}
    />
  )
}
