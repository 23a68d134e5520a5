import { useQuery } from '@tanstack/react-query'
import { useCommand } from '@/api/queries'
import { useAsked, useTroubleText } from '@/api/trouble'
import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { isZero, placesOf } from '@/lib/money'
import { Button, Spinner } from '@/ui/button'
import { Badge, Card, Facts } from '@/ui/card'
import { CodeBlock } from '@/ui/code'
import { Copyable } from '@/ui/copy'
import { Money } from '@/ui/money'
import { AsOf, Page } from '@/ui/page'
import { Skeleton, Stateful, TroubleBox } from '@/ui/state'
import { type Column, Table } from '@/ui/table'
import { Time } from '@/ui/time'
import { EventLink } from '../shared/event-link'
import { ledgerMessages } from './messages'
import { type TrialBalance, type Verification, trialBalanceQuery, verificationQuery, verify } from './queries'

export function BalancePage() {
  const t = useMessages(ledgerMessages)
  const query = useQuery(trialBalanceQuery)
  const balance = useAsked(query, (data) => data)
  return (
    <Page title={t.trialTitle} description={t.trialText} asOf={<AsOf position={query.data?.as_of_position} readAt={query.dataUpdatedAt} />}>
      <Stateful of={balance} skeleton={<Card><Skeleton lines={14} /></Card>}>
        {(data) => <Trial balance={data} />}
      </Stateful>
      <Verifications />
    </Page>
  )
}

type Line = TrialBalance['data'][number]

function Trial({ balance }: { balance: TrialBalance }) {
  const t = useMessages(ledgerMessages)
  const format = useFormat()
  const zero = isZero(balance.difference_usd)
  const places = {
    debit: placesOf(balance.data.map((line) => line.debit_usd)),
    credit: placesOf(balance.data.map((line) => line.credit_usd)),
    net: placesOf(balance.data.map((line) => line.balance_usd)),
  }
  const columns: Array<Column<Line>> = [
    { key: 'account', head: t.account, grow: true, cell: (line) => <code className="block font-mono text-[0.8125rem] wrap-anywhere sm:truncate" title={line.account}>{line.account}</code> },
    { key: 'postings', head: t.postings, right: true, from: 'md', cell: (line) => <span className="text-muted">{format.number(line.postings)}</span> },
    { key: 'debit', head: t.debit, right: true, from: 'sm', cell: (line) => <Money value={line.debit_usd} places={places.debit} /> },
    { key: 'credit', head: t.credit, right: true, from: 'sm', cell: (line) => <Money value={line.credit_usd} places={places.credit} /> },
    { key: 'net', head: t.net, right: true, cell: (line) => <Money value={line.balance_usd} places={places.net} className="font-medium" /> },
  ]
  return (
    <Card
      flush
      title={
        <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
          {t.difference}
          <span data-testid="difference">
            <Money value={balance.difference_usd} className={zero ? 'text-good' : 'text-bad'} />
          </span>
        </span>
      }
      actions={<Badge tone={zero ? 'good' : 'bad'}>{zero ? t.zero : t.notZero}</Badge>}
    >
      <Table
        label={t.trialTitle}
        rows={{ data: balance.data, isPending: false, trouble: null, retry: () => undefined }}
        columns={columns}
        rowKey={(line) => line.account}
        empty={<p className="px-4 pb-5 text-muted sm:px-5">{t.noMoney}</p>}
        footer={
          <tfoot>
            <tr className="border-t border-edge font-semibold">
              <td className="h-11 px-4 sm:px-5">{t.sum}</td>
              <td className="max-md:hidden" />
              <td className="px-3 text-right max-sm:hidden">
                <Money value={balance.debit_usd} places={places.debit} />
              </td>
              <td className="px-3 text-right max-sm:hidden">
                <Money value={balance.credit_usd} places={places.credit} />
              </td>
              <td className="px-4 text-right sm:px-5">
                <Money value={balance.difference_usd} places={places.net} />
              </td>
            </tr>
          </tfoot>
        }
      />
    </Card>
  )
}

function Verifications() {
  const t = useMessages(ledgerMessages)
  const describe = useTroubleText()
  const format = useFormat()
  const asked = useAsked(useQuery(verificationQuery), (data) => data)
  const start = useCommand(verify)
  const running = asked.data?.running
  return (
    <Card
      title={t.verification}
      actions={
        <Button small busy={start.isPending} disabled={running != null} onClick={() => start.mutate(undefined)}>
          {t.verifyNow}
        </Button>
      }
    >
      <p className="mb-3 max-w-prose text-muted">{t.verificationText}</p>
      {start.error !== null && <TroubleBox trouble={describe(start.error)} slim />}
      <Stateful of={asked} skeleton={<Skeleton lines={4} />}>
        {({ last }) => (
          <>
            {running != null && (
              <p className="nums mb-3 flex items-center gap-2" role="status">
                <Spinner />
                {running.stage === 'events' ? t.running(format.number(running.position), format.number(running.head)) : t.stage(running.stage)}
              </p>
            )}
            {last == null ? running == null && <p className="text-muted">{t.neverVerified}</p> : <Last item={last} />}
          </>
        )}
      </Stateful>
    </Card>
  )
}

function Last({ item }: { item: Verification }) {
  const t = useMessages(ledgerMessages)
  const format = useFormat()
  const { report, ended_at: ended } = item
  const right = item.state === 'right'
  return (
    <>
      <Facts
        rows={[
          [t.state, <Badge key="state" tone={right ? 'good' : 'bad'}>{right ? t.right : t.wrong}</Badge>],
          [t.began, <Time key="began" at={item.started_at} />],
          ended == null ? null : [t.took, format.duration(Date.parse(ended) - Date.parse(item.started_at))],
          [t.by, <Copyable key="by" text={item.started_by} short />],
          [t.upTo, item.head === 0 ? '0' : <EventLink key="head" position={item.head} />],
          report == null ? null : [t.events, format.number(report.events)],
          report == null ? null : [t.streams, format.number(report.streams)],
          report == null ? null : [t.models, format.number(report.read_models.length)],
          report == null ? null : [t.problems, format.number(report.problem_count)],
        ]}
      />
      {report != null && report.problems.length > 0 && (
        <div className="mt-4">
          <CodeBlock code={JSON.stringify(report.problems, null, 2)} label={t.problems} />
        </div>
      )}
    </>
  )
}
