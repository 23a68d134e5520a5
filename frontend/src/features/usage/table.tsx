import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { placesOf, sum } from '@/lib/money'
import { Money } from '@/ui/money'
import { type Asked, Empty } from '@/ui/state'
import { type Column, Table, cellClass } from '@/ui/table'
import type { UsageLine } from '../shared/usage'
import { usageMessages } from './messages'

type Props = { rows: Asked<readonly UsageLine[]>; name: string; nameOf: (line: UsageLine) => string }

const COUNTS = [
  ['requests', 'requests', 'sm'],
  ['input', 'prompt_tokens', 'sm'],
  ['cached', 'cached_tokens', 'lg'],
  ['written', 'cache_write_tokens', 'xl'],
  ['output', 'completion_tokens', 'sm'],
  ['reasoning', 'reasoning_tokens', 'xl'],
  ['audio', 'audio_tokens', 'xl'],
] as const

/** Columns that stand there only if there is something in them. */
const RARE: ReadonlySet<string> = new Set(['written', 'audio'])

export function UsageTable({ rows, name, nameOf }: Props) {
  const t = useMessages(usageMessages)
  const format = useFormat()
  const lines = rows.data ?? []
  const places = { list: placesOf(lines.map((line) => line.list_cost_usd)), charge: placesOf(lines.map((line) => line.charge_usd)) }
  const counts = COUNTS.filter(([key, field]) => !RARE.has(key) || lines.some((line) => line[field] > 0))
  const columns: Array<Column<UsageLine>> = [
    { key: 'name', head: name, grow: true, cell: (line) => <span className="block truncate font-medium">{nameOf(line)}</span> },
    ...counts.map(([key, field, from]): Column<UsageLine> => ({
      key,
      head: t[key],
      right: true,
      from,
      cell: (line) => format.number(line[field]),
    })),
    { key: 'list', head: t.list, right: true, from: 'lg', cell: (line) => <Money value={line.list_cost_usd} places={places.list} className="text-muted" /> },
    { key: 'charge', head: t.charge, right: true, cell: (line) => <Money value={line.charge_usd} places={places.charge} /> },
  ]
  const total = (field: (typeof COUNTS)[number][1]) => lines.reduce((all, line) => all + line[field], 0)
  const totals: Record<string, React.ReactNode> = {
    name: t.total,
    ...Object.fromEntries(COUNTS.map(([key, field]) => [key, format.number(total(field))])),
    list: <Money value={sum(lines.map((line) => line.list_cost_usd))} places={places.list} />,
    charge: <Money value={sum(lines.map((line) => line.charge_usd))} places={places.charge} />,
  }
  return (
    <Table
      label={t.table}
      rows={rows}
      columns={columns}
      rowKey={(line) => `${line.day ?? ''}${line.model ?? ''}${line.api_key_id ?? ''}`}
      empty={
        <Empty icon="chart" title={t.none}>
          {t.noneText}
        </Empty>
      }
      footer={
        <tfoot>
          <tr className="border-t border-edge font-semibold">
            {columns.map((column) => (
              <td key={column.key} className={cellClass(column)}>
                {totals[column.key]}
              </td>
            ))}
          </tr>
        </tfoot>
      }
    />
  )
}
