import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { useAsked } from '@/api/trouble'
import { addDays, addMonths, dayOf, monthOf } from '@/lib/days'
import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { type Money as Amount, isZero, negate, placesOf } from '@/lib/money'
import { Button, buttonClass } from '@/ui/button'
import { Card, Facts } from '@/ui/card'
import { Icon } from '@/ui/icon'
import { Money } from '@/ui/money'
import { AsOf, Page } from '@/ui/page'
import { Skeleton, Stateful } from '@/ui/state'
import { type Column, Table } from '@/ui/table'
import { CsvButton } from '../shared/csv'
import { billingMessages } from './messages'
import { Movements } from './movements'
import { type Statement, statementQuery } from './queries'

export function StatementPage() {
  const t = useMessages(billingMessages)
  const format = useFormat()
  const { month } = useParams({ from: '/app/billing/statements/$month' })
  const query = useQuery(statementQuery(month))
  const statement = useAsked(query, (data) => data)
  const current = monthOf(dayOf(Date.now()))
  return (
    <Page
      title={t.statementOf(format.month(`${month}-01`))}
      crumb={
        <Link to="/billing" className="no-print hover:text-ink">
          ← {t.back}
        </Link>
      }
      asOf={<AsOf position={query.data?.as_of_position} readAt={query.dataUpdatedAt} />}
      actions={
        <>
          <MonthLink month={addMonths(month, -1)} label={t.previous} back />
          {month < current && <MonthLink month={addMonths(month, 1)} label={t.next} />}
          <CsvButton path={`/v1/client/statements/${month}/csv`} query={{}} name={`tollgate-${month}.csv`} />
          <Button kind="primary" icon="print" onClick={() => window.print()}>
            {t.print}
          </Button>
        </>
      }
    >
      <Stateful of={statement} skeleton={<Card><Skeleton lines={8} /></Card>}>
        {(data) => <Body statement={data} open={month >= current} />}
      </Stateful>
    </Page>
  )
}

function MonthLink({ month, label, back = false }: { month: string; label: string; back?: boolean }) {
  return (
    <Link to="/billing/statements/$month" params={{ month }} aria-label={label} title={label} className={buttonClass('quiet')}>
      <Icon name={back ? 'left' : 'right'} className="size-4" />
    </Link>
  )
}

function Body({ statement, open }: { statement: Statement; open: boolean }) {
  const t = useMessages(billingMessages)
  const format = useFormat()
  const begins = `${statement.month}-01`
  const ends = addDays(`${addMonths(statement.month, 1)}-01`, -1)
  const line = (label: string, amount: Amount, always = false) =>
    always || !isZero(amount) ? ([label, <Money key={label} value={amount} signed />] as const) : null
  const there = { isPending: false, trouble: null, retry: () => undefined }
  return (
    <>
      <Card title={t.summary}>
        <Facts
          rows={[
            [t.account, <code key="account" className="font-mono text-[0.8125rem] break-all">{statement.account_id}</code>],
            [t.period, `${format.date(begins)} – ${format.date(ends)}`],
            [t.opening, <Money key="opening" value={statement.opening_usd} className="font-medium" />],
            line(t.toppedUp, statement.topped_up_usd, true),
            line(t.refunded, negate(statement.refunded_usd)),
            line(t.granted, statement.granted_usd),
            line(t.expired, negate(statement.expired_usd)),
            line(t.adjusted, statement.adjusted_usd),
            [t.spent, <Money key="spent" value={negate(statement.charged_usd)} />],
            [open ? t.closingNow : t.closing, <Money key="closing" value={statement.closing_usd} className="font-semibold" />],
          ]}
        />
        <p className="mt-3 text-[0.8125rem] text-muted">{t.utc}</p>
      </Card>
      <Card title={t.movements} flush>
        <Movements rows={{ ...there, data: statement.movements }} empty={<p className="px-5 pb-5 text-muted">{t.noMovements}</p>} />
      </Card>
      <Card title={t.charged} flush>
        <Models statement={statement} />
      </Card>
    </>
  )
}

type Line = Statement['models'][number]

function Models({ statement }: { statement: Statement }) {
  const t = useMessages(billingMessages)
  const format = useFormat()
  const places = placesOf([statement.charged_usd, ...statement.models.map((row) => row.charge_usd)])
  const columns: Array<Column<Line>> = [
    { key: 'model', head: t.model, grow: true, cell: (row) => <span className="block truncate">{row.model}</span> },
    { key: 'requests', head: t.requests, right: true, from: 'sm', cell: (row) => format.number(row.requests) },
    { key: 'input', head: t.input, right: true, from: 'md', cell: (row) => format.number(row.prompt_tokens) },
    { key: 'output', head: t.output, right: true, from: 'md', cell: (row) => format.number(row.completion_tokens) },
    { key: 'charge', head: t.charge, right: true, cell: (row) => <Money value={row.charge_usd} places={places} /> },
  ]
  return (
    <Table
      label={t.charged}
      rows={{ data: statement.models, isPending: false, trouble: null, retry: () => undefined }}
      columns={columns}
      rowKey={(row) => row.model}
      empty={<p className="px-5 pb-5 text-muted">{t.noCharges}</p>}
      footer={
        <tfoot>
          <tr className="border-t border-edge font-semibold">
            <td className="h-11 px-4 sm:px-5">{t.total}</td>
            <td className="px-3 text-right max-sm:hidden">{format.number(statement.requests)}</td>
            <td className="max-md:hidden" colSpan={2} />
            <td className="px-4 text-right sm:px-5">
              <Money value={statement.charged_usd} places={places} />
            </td>
          </tr>
        </tfoot>
      }
    />
  )
}
