import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { compare } from '@/lib/money'
import { Card, Notice } from '@/ui/card'
import { Money } from '@/ui/money'
import { type Column, Table } from '@/ui/table'
import type { Explanation } from '../shared/requests'
import { detailMessages, said } from './detail-messages'

type Charge = Explanation['charge']
type Line = NonNullable<Charge['lines']>[number]

/** The whole way from tokens to the charge. */
export function ChargeCard({ charge }: { charge: Charge }) {
  const t = useMessages(detailMessages)
  const format = useFormat()
  const columns: Array<Column<Line>> = [
    { key: 'class', head: t.class, grow: true, cell: (line) => said(t.classes, line.class) },
    { key: 'count', head: t.count, right: true, cell: (line) => format.number(line.count) },
    {
      key: 'price',
      head: t.price,
      right: true,
      from: 'sm',
      cell: (line) => (line.list_price_usd == null ? '—' : <span className="nums whitespace-nowrap">× {format.price(line.list_price_usd)}</span>),
    },
    { key: 'cost', head: t.cost, right: true, cell: (line) => <span className="nums whitespace-nowrap">{format.price(line.list_cost_usd)}</span> },
  ]
  return (
    <Card title={t.charge} flush>
      {charge.lines != null && (
        <Table
          label={t.lines}
          rows={{ data: charge.lines, isPending: false, trouble: null, retry: () => undefined }}
          columns={columns}
          rowKey={(line) => line.class}
          empty={null}
        />
      )}
      {charge.charge_usd == null ? <p className="px-4 py-4 text-muted sm:px-5">{t.notCharged}</p> : <Sum charge={charge} />}
    </Card>
  )
}

function Sum({ charge }: { charge: Charge }) {
  const t = useMessages(detailMessages)
  const format = useFormat()
  const { computed_list_cost_usd: computed, list_cost_usd: list, exact_charge_usd: exact } = charge
  const differs = computed != null && list != null && computed !== list && compare(computed, list) !== 0
  return (
    <div className="border-t border-edge px-4 py-3 sm:px-5">
      <dl className="nums space-y-1.5">
        {computed != null && <Row label={t.sum}>{format.price(computed)}</Row>}
        {list != null && <Row label={t.listCost}>{format.price(list)}</Row>}
        {charge.sale_ratio != null && <Row label={t.ratio}>× {format.decimal(charge.sale_ratio)}</Row>}
        {exact != null && <Row label={t.exact}>{format.price(exact)}</Row>}
        {charge.charge_before_usd != null && (
          <Row label={t.before}>
            <Money value={charge.charge_before_usd} />
          </Row>
        )}
        {charge.charge_usd != null && (
          <div className="mt-2 flex items-baseline justify-between gap-4 border-t border-line pt-2.5">
            <dt className="font-semibold">
              {t.result} <span className="block text-[0.8125rem] font-normal text-muted sm:inline">{t.rounded}</span>
            </dt>
            <dd className="text-base font-semibold" data-testid="charge">
              {format.money(charge.charge_usd)}
            </dd>
          </div>
        )}
      </dl>
      {differs && (
        <div className="mt-3">
          <Notice tone="accent">{t.differs}</Notice>
        </div>
      )}
    </div>
  )
}

function Row({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <div className="flex items-baseline justify-between gap-4">
      <dt className="text-muted">{label}</dt>
      <dd>{children}</dd>
    </div>
  )
}
