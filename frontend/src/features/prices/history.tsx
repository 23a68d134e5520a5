import { useInfiniteQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { perMillion } from '@/lib/decimal'
import { Select } from '@/ui/field'
import { Empty } from '@/ui/state'
import type { Column } from '@/ui/table'
import { Time } from '@/ui/time'
import { EventLink } from '../shared/event-link'
import { Paged } from '../shared/paged'
import { priceMessages } from './messages'
import { type PriceChange, historyQuery } from './queries'
import { KINDS, pricesSearch } from './search'

const ALL = ''

export function History() {
  const t = useMessages(priceMessages)
  const { kind } = useSearch({ from: '/app/operator/prices' })
  const navigate = useNavigate({ from: '/operator/prices' })
  const known = (row: PriceChange) => KINDS.find((one) => one === row.kind)
  const columns: Array<Column<PriceChange>> = [
    { key: 'event', head: t.event, right: true, from: 'sm', cell: (row) => <EventLink position={row.position} /> },
    {
      key: 'about',
      head: t.what,
      grow: true,
      cell: (row) => {
        const one = known(row)
        const what = one === undefined ? row.kind : t.kinds[one]
        return (
          <>
            <span className="block truncate font-medium" title={row.subject ?? ''}>
              {row.subject ?? (row.scope === 'default' ? t.standard : '—')}
            </span>
            <span className="block truncate text-[0.8125rem] text-muted" title={row.reason ?? ''}>
              {row.reason == null ? what : `${what} · ${row.reason}`}
            </span>
          </>
        )
      },
    },
    { key: 'value', head: t.value, right: true, cell: (row) => <Value row={row} /> },
    { key: 'when', head: t.when, from: 'md', cell: (row) => <Time at={row.at} short className="text-muted" /> },
  ]
  return (
    <div className="space-y-4">
      <div className="w-60">
        <Select
          aria-label={t.kind}
          value={kind ?? ALL}
          options={[{ value: ALL, label: t.allKinds } as const, ...KINDS.map((value) => ({ value, label: t.kinds[value] }))]}
          onChange={(next) => void navigate({ search: pricesSearch({ show: 'history', kind: next }), replace: true })}
        />
      </div>
      <Paged
        query={useInfiniteQuery(historyQuery(kind))}
        label={t.face.history}
        columns={columns}
        rowKey={(row) => `${row.position}-${row.subject ?? ''}`}
        empty={<Empty icon="tag" title={t.noHistory}>{t.noHistoryText}</Empty>}
      />
    </div>
  )
}

function Value({ row }: { row: PriceChange }) {
  const t = useMessages(priceMessages)
  const format = useFormat()
  if (row.kind === 'ratio_set' && row.ratio == null) return <span className="text-muted">{t.removed}</span>
  if (row.ratio != null) return <span className="nums font-medium whitespace-nowrap">× {format.decimal(row.ratio)}</span>
  if (row.price_version != null) return <span className="whitespace-nowrap text-muted">{t.version(format.number(row.price_version), format.number(row.models ?? 0))}</span>
  const [input, output] = [row.prompt_usd, row.completion_usd].map((price) => (price == null ? null : perMillion(price)))
  if (input == null || output == null) return <span className="text-faint">—</span>
  const [from, to] = [format.price(input), format.price(output)]
  return (
    <span className="nums whitespace-nowrap" title={t.perMillion(from, to)}>
      {from} → {to}
    </span>
  )
}
