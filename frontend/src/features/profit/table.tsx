import type { ReactNode } from 'react'
import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { isNegative, placesOf } from '@/lib/money'
import { Money } from '@/ui/money'
import { type Asked, Empty } from '@/ui/state'
import { type Column, Table, cellClass } from '@/ui/table'
import { profitMessages } from './messages'
import type { ProfitLine } from './queries'
import { marginShare, totalsOf } from './search'

type Props = { rows: Asked<readonly ProfitLine[]>; name: string; nameOf: (line: ProfitLine) => ReactNode }

export function ProfitTable({ rows, name, nameOf }: Props) {
  const t = useMessages(profitMessages)
  const format = useFormat()
  const percent = (part: number | null) => (part === null ? '—' : format.percent(part, 1))
  const lines = rows.data ?? []
  const places = {
    list: placesOf(lines.map((line) => line.list_cost_usd)),
    charge: placesOf(lines.map((line) => line.charge_usd)),
    cost: placesOf(lines.map((line) => line.cost_usd)),
    waived: placesOf(lines.map((line) => line.waived_usd)),
    margin: placesOf(lines.map((line) => line.margin_usd)),
  }
  const columns: Array<Column<ProfitLine>> = [
    { key: 'name', head: name, grow: true, cell: (line) => <span className="block truncate font-medium">{nameOf(line)}</span> },
    { key: 'requests', head: t.requests, right: true, from: 'md', cell: (line) => format.number(line.requests) },
    { key: 'list', head: t.list, right: true, from: 'xl', cell: (line) => <Money value={line.list_cost_usd} places={places.list} className="text-muted" /> },
    { key: 'charge', head: t.revenue, right: true, from: 'sm', cell: (line) => <Money value={line.charge_usd} places={places.charge} /> },
    { key: 'cost', head: t.cost, right: true, from: 'md', cell: (line) => <Money value={line.cost_usd} places={places.cost} /> },
    { key: 'waived', head: t.waived, right: true, from: 'lg', cell: (line) => <Money value={line.waived_usd} places={places.waived} className="text-muted" /> },
    {
      key: 'margin',
      head: t.margin,
      right: true,
      cell: (line) => <Money value={line.margin_usd} places={places.margin} className={isNegative(line.margin_usd) ? 'font-medium text-bad' : 'font-medium'} />,
    },
    {
      key: 'share',
      head: '%',
      right: true,
      from: 'sm',
      cell: (line) => <span className="nums text-muted">{percent(marginShare(line.margin_usd, line.charge_usd))}</span>,
    },
  ]
  const totals = totalsOf(lines)
  const sums: Record<string, ReactNode> = {
    name: t.total,
    requests: format.number(totals.requests),
    charge: <Money value={totals.charge} places={places.charge} />,
    cost: <Money value={totals.cost} places={places.cost} />,
    waived: <Money value={totals.waived} places={places.waived} />,
    margin: <Money value={totals.margin} places={places.margin} />,
    share: percent(marginShare(totals.margin, totals.charge)),
  }
  return (
    <Table
      label={t.table}
      rows={rows}
      columns={columns}
      rowKey={(line) => line.name}
      empty={<Empty icon="profit" title={t.none}>{t.noneText}</Empty>}
      footer={
        <tfoot>
          <tr className="border-t border-edge font-semibold">
            {columns.map((column) => (
              <td key={column.key} className={cellClass(column)}>
                {sums[column.key]}
              </td>
            ))}
          </tr>
        </tfoot>
      }
    />
  )
}
