import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useAsked } from '@/api/trouble'
import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { type Money as Amount, placesOf } from '@/lib/money'
import { Card } from '@/ui/card'
import { Money } from '@/ui/money'
import { Empty } from '@/ui/state'
import { type Column, Table } from '@/ui/table'
import { Time } from '@/ui/time'
import { RequestState } from '../shared/request-state'
import { requestWords } from '../shared/request-words'
import { type RequestItem, latestQuery } from '../shared/requests'
import { overviewMessages } from './messages'

export function LatestRequests() {
  const t = useMessages(overviewMessages)
  const words = useMessages(requestWords)
  const format = useFormat()
  const navigate = useNavigate()
  const rows = useAsked(useQuery(latestQuery), (page) => page.data)
  const places = placesOf((rows.data ?? []).flatMap((row) => row.charge_usd ?? []))
  const columns: Array<Column<RequestItem>> = [
    { key: 'model', head: words.model, grow: true, cell: (row) => <ModelLink row={row} /> },
    { key: 'time', head: words.time, from: 'sm', cell: (row) => <Time at={row.ended_at} relative className="text-muted" /> },
    {
      key: 'tokens',
      head: words.tokens,
      right: true,
      from: 'md',
      cell: (row) => (row.prompt_tokens == null ? <span className="text-muted">—</span> : format.number(row.prompt_tokens + (row.completion_tokens ?? 0))),
    },
    { key: 'state', head: words.state, from: 'lg', cell: (row) => <RequestState state={row.state} /> },
    {
      key: 'charge',
      head: words.charge,
      right: true,
      cell: (row) => <Charge value={row.charge_usd} places={places} />,
    },
  ]
  return (
    <Card
      title={t.latest}
      flush
      actions={
        <Link to="/requests" className="text-[0.8125rem] font-medium text-accent hover:underline">
          {t.all}
        </Link>
      }
    >
      <Table
        label={t.latest}
        rows={rows}
        columns={columns}
        rowKey={(row) => row.id}
        onRow={(row) => void navigate({ to: '/requests/$id', params: { id: row.id } })}
        empty={
          <Empty icon="list" title={t.noRequests}>
            {t.noRequestsText}
          </Empty>
        }
      />
    </Card>
  )
}

function Charge({ value, places }: { value: Amount | null | undefined; places: number }) {
  const words = useMessages(requestWords)
  return value == null ? <span className="whitespace-nowrap text-muted">{words.notCharged}</span> : <Money value={value} places={places} />
}

function ModelLink({ row }: { row: RequestItem }) {
  const words = useMessages(requestWords)
  return (
    <>
      <Link
        to="/requests/$id"
        params={{ id: row.id }}
        aria-label={words.open(row.model)}
        className="block truncate leading-6 font-medium hover:underline"
        onClick={(event) => event.stopPropagation()}
      >
        {row.model}
      </Link>
      <Time at={row.ended_at} relative className="block text-xs leading-4 text-muted sm:hidden" />
    </>
  )
}
