import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { isNegative, placesOf } from '@/lib/money'
import { Badge } from '@/ui/card'
import { Money } from '@/ui/money'
import type { Asked } from '@/ui/state'
import { type Column, Table } from '@/ui/table'
import { Time } from '@/ui/time'
import { billingMessages, isKind } from './messages'
import type { Movement } from './queries'

/** What changed a balance besides requests. */
export function Movements({ rows, empty }: { rows: Asked<readonly Movement[]>; empty: React.ReactNode }) {
  const t = useMessages(billingMessages)
  const format = useFormat()
  const places = placesOf((rows.data ?? []).map((row) => row.amount_usd))
  const columns: Array<Column<Movement>> = [
    {
      key: 'kind',
      head: t.kind,
      cell: (row) => <Badge tone={isNegative(row.amount_usd) ? 'plain' : 'good'}>{isKind(row.kind) ? t.kinds[row.kind] : row.kind}</Badge>,
    },
    {
      key: 'reference',
      head: t.reference,
      grow: true,
      cell: (row) => (
        <>
          <span className="block truncate" title={row.reference ?? row.id}>
            {row.reference ?? <code className="font-mono text-[0.8125rem] text-muted">{row.id}</code>}
            {row.expires_at != null && <span className="ml-2 text-muted">{t.until(format.date(row.expires_at))}</span>}
          </span>
          <Time at={row.at} short className="block text-xs leading-4 text-muted sm:hidden" />
        </>
      ),
    },
    { key: 'when', head: t.when, from: 'sm', cell: (row) => <Time at={row.at} className="text-muted" /> },
    { key: 'amount', head: t.amount, right: true, cell: (row) => <Money value={row.amount_usd} signed places={places} className="font-medium max-sm:[&_.invisible]:hidden" /> },
  ]
  return <Table label={t.movements} rows={rows} columns={columns} rowKey={(row) => `${row.position}-${row.id}`} empty={empty} />
}
