import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback, useState } from 'react'
import { useAsked } from '@/api/trouble'
import { perMillion } from '@/lib/decimal'
import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { Button, IconButton } from '@/ui/button'
import { Badge, Card } from '@/ui/card'
import { SearchBox } from '@/ui/search-box'
import { Empty, Skeleton, Stateful } from '@/ui/state'
import { VirtualTable, type WideColumn } from '@/ui/virtual-table'
import { useMayChange } from '../shared/role'
import { RatioDialog } from './dialogs'
import { priceMessages } from './messages'
import { type ModelPrice, modelPricesQuery } from './queries'
import { pricesSearch } from './search'

/** Those in whose id or name every word is found. */
function fitting(models: readonly ModelPrice[], q: string): readonly ModelPrice[] {
  const words = q.toLowerCase().split(/\s+/).filter((word) => word !== '')
  return models.filter(({ id, name }) => words.every((word) => `${id} ${name}`.toLowerCase().includes(word)))
}

export function Catalogue() {
  const t = useMessages(priceMessages)
  const format = useFormat()
  const search = useSearch({ from: '/app/operator/prices' })
  const navigate = useNavigate({ from: '/operator/prices' })
  const { q = '' } = search
  const change = useCallback((text: string) => void navigate({ search: pricesSearch({ q: text }), replace: true }), [navigate])
  const [setting, setSetting] = useState<ModelPrice | null>(null)
  const mayChange = useMayChange()
  const query = useQuery(modelPricesQuery)
  const rate = query.data?.cost_rate
  const rows = useAsked(query, (list) => fitting(list.data, q))
  return (
    <div className="space-y-4">
      <SearchBox label={t.search} value={q} onChange={change} className="max-w-md" />
      <p className="min-h-10 text-[0.8125rem] text-muted max-sm:min-h-15">
        {t.inOut} {query.data !== undefined && (rate == null ? t.noRate : t.marginNote(format.decimal(rate.slice(0, 8))))}
      </p>
      <Card flush>
        <Stateful
          of={rows}
          skeleton={<Skeleton lines={10} />}
          isEmpty={(list) => list.length === 0}
          empty={<Empty icon="tag" title={q === '' ? t.noModels : t.none}>{q === '' ? t.noModelsText : t.noneText}</Empty>}
        >
          {(list) => <List rows={list} {...(mayChange && { onSet: setSetting })} />}
        </Stateful>
      </Card>
      {setting !== null && (
        <RatioDialog
          of={{ scope: 'model', subject: setting.id, name: setting.name, ratio: setting.own_ratio ? (setting.sale_ratio ?? null) : null }}
          onClose={() => setSetting(null)}
        />
      )}
    </div>
  )
}

function List({ rows, onSet }: { rows: readonly ModelPrice[]; onSet?: (row: ModelPrice) => void }) {
  const t = useMessages(priceMessages)
  const format = useFormat()
  const set: WideColumn<ModelPrice> = {
    key: 'set',
    head: '',
    width: 'w-12 sm:w-28',
    right: true,
    cell: (row) => (
      <>
        <Button small aria-label={`${t.set}: ${row.name}`} onClick={() => onSet?.(row)} className="max-sm:hidden">
          {t.set}
        </Button>
        <IconButton icon="edit" label={`${t.set}: ${row.name}`} onClick={() => onSet?.(row)} className="sm:hidden" />
      </>
    ),
  }
  const columns: Array<WideColumn<ModelPrice>> = [
    {
      key: 'model',
      head: t.model,
      // On a phone the sale price stands below the name.
      cell: (row) => (
        <>
          <span className="block truncate leading-5 font-medium">{row.name}</span>
          <code className="block truncate font-mono text-xs leading-4 text-muted max-sm:hidden">{row.id}</code>
          <span className="block truncate text-xs leading-4 text-muted sm:hidden">
            <Pair free={row.free} input={row.sale_prompt_usd} output={row.sale_completion_usd} />
          </span>
        </>
      ),
    },
    {
      key: 'list',
      head: t.list,
      width: 'w-40',
      right: true,
      from: 'md',
      cell: (row) => <Pair free={row.free} input={row.prompt_usd} output={row.completion_usd} muted />,
    },
    {
      key: 'ratio',
      head: t.ratio,
      width: 'w-32',
      right: true,
      from: 'md',
      cell: (row) => (
        <span className="inline-flex items-center gap-1.5">
          {row.own_ratio && <Badge tone="accent">{t.own}</Badge>}
          {row.sale_ratio == null ? '—' : `× ${format.decimal(row.sale_ratio)}`}
        </span>
      ),
    },
    {
      key: 'sale',
      head: t.sale,
      width: 'w-40',
      right: true,
      from: 'sm',
      cell: (row) => <Pair free={row.free} input={row.sale_prompt_usd} output={row.sale_completion_usd} />,
    },
    { key: 'margin', head: t.margin, width: 'w-20 sm:w-24', right: true, cell: (row) => <Margin row={row} /> },
    ...(onSet === undefined ? [] : [set]),
  ]
  return <VirtualTable label={t.face.catalogue} rows={rows} columns={columns} rowKey={(row) => row.id} />
}

type Price = string | null | undefined

/** Input and output: dollars for a million tokens. */
function Pair({ free, input, output, muted = false }: { free: boolean; input: Price; output: Price; muted?: boolean }) {
  const t = useMessages(priceMessages)
  const format = useFormat()
  if (free) return <span className="text-muted">{t.free}</span>
  const one = (price: Price) => {
    const million = price == null ? null : perMillion(price)
    return million === null ? '—' : format.price(million)
  }
  const text = `${one(input)} → ${one(output)}`
  return (
    <span className={muted ? 'text-muted' : ''} title={text}>
      {text}
    </span>
  )
}

/** A part, not an amount, so a number will do. */
function Margin({ row }: { row: ModelPrice }) {
  const format = useFormat()
  if (row.margin == null) return <span className="text-faint">—</span>
  const loss = row.margin.startsWith('-')
  return <span className={loss ? 'font-medium text-bad' : 'font-medium'}>{format.percent(Number(row.margin), 1)}</span>
}
