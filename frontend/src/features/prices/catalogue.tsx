import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback, useState } from 'react'
import { useTroubleText } from '@/api/trouble'
import { perMillion } from '@/lib/decimal'
import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { Button } from '@/ui/button'
import { Badge, Card } from '@/ui/card'
import { SearchBox } from '@/ui/search-box'
import { type Asked, Empty, Skeleton, Stateful } from '@/ui/state'
import { VirtualTable, type WideColumn } from '@/ui/virtual-table'
import { type Model, found } from '../shared/catalogue'
import { mastersQuery } from '../shared/clients'
import { useMayChange } from '../shared/role'
import { RatioDialog } from './dialogs'
import { dearest, marginPart, product } from './margin'
import { priceMessages } from './messages'
import { listPricesQuery, pricesQuery, publicCatalogueQuery, ratiosQuery } from './queries'
import { pricesSearch } from './search'

type Prices = { input: string | null; output: string | null }
/** Prices are dollars for a million tokens. */
type Row = Pick<Model, 'id' | 'name'> & { ratio: string | null; own: boolean; list: Prices; sale: Prices }

/** Every model that is for sale, with its list price and its ratio: whole, or not at all. */
function useRows(q: string): Asked<readonly Row[]> {
  const describe = useTroubleText()
  const [models, prices, list] = [useQuery(publicCatalogueQuery), useQuery(pricesQuery), useQuery(listPricesQuery)]
  const ratios = useInfiniteQuery(ratiosQuery('model'))
  const failed = [models, prices, list, ratios].find(({ error }) => error !== null)
  const own = new Map(ratios.data?.pages.flatMap((page) => page.data).map(({ subject, ratio }) => [subject, ratio]))
  const row = ({ id, name }: Model): Row => {
    const ratio = own.get(id) ?? prices.data?.default_sale_ratio ?? null
    const price = list.data?.get(id)
    const [input, output] = [million(price?.input ?? null), million(price?.output ?? null)]
    const sale = { input: times(input, ratio), output: times(output, ratio) }
    return { id, name, ratio, own: own.has(id), list: { input, output }, sale }
  }
  const whole = prices.data !== undefined && list.data !== undefined && ratios.data !== undefined
  return {
    data: whole && models.data !== undefined ? found(models.data, { q }).map(row) : undefined,
    isPending: !whole || models.isPending,
    trouble: failed?.error == null ? null : describe(failed.error),
    retry: () => void failed?.refetch(),
  }
}

export function Catalogue() {
  const t = useMessages(priceMessages)
  const format = useFormat()
  const search = useSearch({ from: '/app/operator/prices' })
  const navigate = useNavigate({ from: '/operator/prices' })
  const { q = '' } = search
  const change = useCallback((text: string) => void navigate({ search: pricesSearch({ q: text }), replace: true }), [navigate])
  const [setting, setSetting] = useState<Row | null>(null)
  const mayChange = useMayChange()
  const masters = useQuery(mastersQuery).data
  const rate = dearest(masters?.data ?? [])
  const rows = useRows(q)
  return (
    <div className="space-y-4">
      <SearchBox label={t.search} value={q} onChange={change} className="max-w-md" />
      <p className="min-h-10 text-[0.8125rem] text-muted max-sm:min-h-15">
        {t.inOut} {masters !== undefined && (rate === null ? t.noRate : t.marginNote(format.decimal(rate.slice(0, 8))))}
      </p>
      <Card flush>
        <Stateful
          of={rows}
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
    { key: 'list', head: t.list, width: 'w-40', right: true, from: 'md', cell: (row) => <Pair row={row} of="list" /> },
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
    { key: 'sale', head: t.sale, width: 'w-40', right: true, cell: (row) => <Sale row={row} rate={rate} /> },
    { key: 'margin', head: t.margin, width: 'w-24', right: true, from: 'sm', cell: (row) => <Margin row={row} rate={rate} /> },
    ...(onSet === undefined ? [] : [set]),
  ]
  return <VirtualTable label={t.face.catalogue} rows={rows} columns={columns} rowKey={(row) => row.id} />
}

function million(price: string | null): string | null {
  return price === null ? null : perMillion(price)
}

function times(price: string | null, ratio: string | null): string | null {
  return price === null || ratio === null ? null : product(price, ratio)
}

function isFree({ list }: Row): boolean {
  return list.input === '0' && list.output === '0'
}

function Pair({ row, of }: { row: Row; of: 'list' | 'sale' }) {
  const t = useMessages(priceMessages)
  const format = useFormat()
  if (isFree(row)) return <span className="text-muted">{t.free}</span>
  const one = (price: string | null) => (price === null ? '—' : format.price(price))
  const text = `${one(row[of].input)} → ${one(row[of].output)}`
  return (
    <span className={of === 'list' ? 'text-muted' : ''} title={text}>
      {text}
    </span>
  )
}

/** On a phone the margin stands below the price. */
function Sale({ row, rate }: { row: Row; rate: string | null }) {
  return (
    <>
      <Pair row={row} of="sale" />
      <span className="block text-xs leading-4 sm:hidden">
        <Margin row={row} rate={rate} />
      </span>
    </>
  )
}

function Margin({ row, rate }: { row: Row; rate: string | null }) {
  const format = useFormat()
  const part = isFree(row) || rate === null || row.ratio === null ? null : marginPart(row.ratio, rate)
  if (part === null) return <span className="text-faint">—</span>
  return <span className={part < 0 ? 'font-medium text-bad' : 'font-medium'}>{format.percent(part, 1)}</span>
}
