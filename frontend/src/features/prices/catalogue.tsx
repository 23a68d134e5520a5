import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback, useState } from 'react'
import { useAsked } from '@/api/trouble'
import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { Button } from '@/ui/button'
import { Badge, Card } from '@/ui/card'
import { SearchBox } from '@/ui/search-box'
import { Empty, Skeleton, Stateful } from '@/ui/state'
import { VirtualTable, type WideColumn } from '@/ui/virtual-table'
import { type Model, catalogueQuery, found } from '../shared/catalogue'
import { mastersQuery } from '../shared/clients'
import { useMayChange } from '../shared/role'
import { RatioDialog } from './dialogs'
import { dearest, marginPart, quotient } from './margin'
import { priceMessages } from './messages'
import { pricesQuery, ratiosQuery } from './queries'
import { pricesSearch } from './search'

type Row = Model & { ratio: string | null; own: boolean }

export function Catalogue() {
  const t = useMessages(priceMessages)
  const format = useFormat()
  const search = useSearch({ from: '/app/operator/prices' })
  const navigate = useNavigate({ from: '/operator/prices' })
  const { q = '' } = search
  const change = useCallback((text: string) => void navigate({ search: pricesSearch({ q: text }), replace: true }), [navigate])
  const [setting, setSetting] = useState<Row | null>(null)
  const mayChange = useMayChange()
  const prices = useQuery(pricesQuery).data
  const ratios = useInfiniteQuery(ratiosQuery('model')).data?.pages.flatMap((page) => page.data)
  const rate = dearest(useQuery(mastersQuery).data?.data ?? [])
  const own = new Map(ratios?.map(({ subject, ratio }) => [subject, ratio]))
  const query = useQuery({ ...catalogueQuery, staleTime: 2_000 })
  const rows = useAsked(query, (models) =>
    found(models, { q }).map((model): Row => {
      const ratio = own.get(model.id)
      return { ...model, own: ratio !== undefined, ratio: ratio ?? prices?.default_sale_ratio ?? null }
    }),
  )
  const ready = { ...rows, data: prices === undefined || ratios === undefined ? undefined : rows.data }
  return (
    <div className="space-y-4">
      <SearchBox label={t.search} value={q} onChange={change} className="max-w-md" />
      <p className="text-[0.8125rem] text-muted">
        {t.inOut} {rate === null ? t.noRate : t.marginNote(format.decimal(rate.slice(0, 8)))}
      </p>
      <Card flush>
        <Stateful
          of={ready}
          skeleton={<Skeleton lines={10} />}
          isEmpty={(list) => list.length === 0}
          empty={<Empty icon="tag" title={q === '' ? t.noModels : t.none}>{q === '' ? t.noModelsText : t.noneText}</Empty>}
        >
          {(list) => <List rows={list} rate={rate} {...(mayChange && { onSet: setSetting })} />}
        </Stateful>
      </Card>
      {setting !== null && (
        <RatioDialog
          of={{ scope: 'model', subject: setting.id, name: setting.name, ratio: setting.own ? setting.ratio : null }}
          onClose={() => setSetting(null)}
        />
      )}
    </div>
  )
}

function List({ rows, rate, onSet }: { rows: readonly Row[]; rate: string | null; onSet?: (row: Row) => void }) {
  const t = useMessages(priceMessages)
  const format = useFormat()
  const set: WideColumn<Row> = {
    key: 'set',
    head: '',
    width: 'w-28',
    right: true,
    from: 'sm',
    cell: (row) => (
      <Button small aria-label={`${t.set}: ${row.name}`} onClick={() => onSet?.(row)}>
        {t.set}
      </Button>
    ),
  }
  const columns: Array<WideColumn<Row>> = [
    {
      key: 'model',
      head: t.model,
      cell: (row) => (
        <>
          <span className="block truncate leading-5 font-medium">{row.name}</span>
          <code className="block truncate font-mono text-xs leading-4 text-muted">{row.id}</code>
        </>
      ),
    },
    { key: 'list', head: t.list, width: 'w-40', right: true, from: 'md', cell: (row) => <Pair row={row} list /> },
    {
      key: 'ratio',
      head: t.ratio,
      width: 'w-32',
      right: true,
      from: 'md',
      cell: (row) => (
        <span className="inline-flex items-center gap-1.5">
          {row.own && <Badge tone="accent">{t.own}</Badge>}
          {row.ratio === null ? '—' : `× ${format.decimal(row.ratio)}`}
        </span>
      ),
    },
    { key: 'sale', head: t.sale, width: 'w-40', right: true, cell: (row) => <Pair row={row} /> },
    { key: 'margin', head: t.margin, width: 'w-24', right: true, from: 'sm', cell: (row) => <Margin row={row} rate={rate} /> },
    ...(onSet === undefined ? [] : [set]),
  ]
  return <VirtualTable label={t.face.catalogue} rows={rows} columns={columns} rowKey={(row) => row.id} />
}

function Pair({ row, list = false }: { row: Row; list?: boolean }) {
  const t = useMessages(priceMessages)
  const format = useFormat()
  if (row.input === '0' && row.output === '0') return <span className="text-muted">{t.free}</span>
  const one = (sale: string | null) => {
    const price = sale === null || !list ? sale : row.ratio === null ? null : quotient(sale, row.ratio)
    return price === null ? '—' : format.price(price)
  }
  return (
    <span className={list ? 'text-muted' : ''} title={`${one(row.input)} → ${one(row.output)}`}>
      {one(row.input)} → {one(row.output)}
    </span>
  )
}

function Margin({ row, rate }: { row: Row; rate: string | null }) {
  const format = useFormat()
  const free = row.input === '0' && row.output === '0'
  const part = free || rate === null || row.ratio === null ? null : marginPart(row.ratio, rate)
  if (part === null) return <span className="text-faint">—</span>
  return <span className={part < 0 ? 'font-medium text-bad' : 'font-medium'}>{format.percent(part, 1)}</span>
}
