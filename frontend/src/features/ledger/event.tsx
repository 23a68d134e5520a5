import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { useAsked } from '@/api/trouble'
import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { ZERO, compare, sum } from '@/lib/money'
import { buttonClass } from '@/ui/button'
import { Badge, Card, Facts } from '@/ui/card'
import { CodeBlock } from '@/ui/code'
import { Copyable } from '@/ui/copy'
import { Money } from '@/ui/money'
import { AsOf, Page } from '@/ui/page'
import { Skeleton, Stateful } from '@/ui/state'
import { type Column, Table } from '@/ui/table'
import { Time } from '@/ui/time'
import { eventWords } from '../shared/event-words'
import { ledgerMessages } from './messages'
import { type EntryLine, type EventDetail, eventQuery } from './queries'

export function EventPage() {
  const t = useMessages(ledgerMessages)
  const words = useMessages(eventWords)
  const format = useFormat()
  const { position } = useParams({ from: '/app/ledger/events/$position' })
  const query = useQuery(eventQuery(Number(position)))
  const event = useAsked(query, (data) => data)
  const { data } = query
  return (
    <Page
      title={data === undefined ? t.event : `${words.event(format.number(data.position))}: ${words.types[data.event_type] ?? data.event_type}`}
      crumb={
        <Link to="/ledger" className="hover:text-ink">
          ← {t.back}
        </Link>
      }
      asOf={<AsOf position={data?.as_of_position} readAt={query.dataUpdatedAt} />}
      actions={
        data?.stream_type === 'account' && (
          <Link to="/ledger/accounts/$id" params={{ id: data.stream }} className={buttonClass()}>
            {t.accountHistory}
          </Link>
        )
      }
    >
      <Stateful of={event} skeleton={<Card><Skeleton lines={10} /></Card>}>
        {(one) => (
          <div className="grid items-start gap-4 lg:grid-cols-[3fr_2fr]">
            <div className="min-w-0 space-y-4">
              <Entry lines={one.entry} />
              <Card title={t.payload}>
                <CodeBlock code={JSON.stringify(one.payload, null, 2)} label={t.payload} />
              </Card>
              <Card title={t.metadata}>
                <CodeBlock code={JSON.stringify(one.metadata, null, 2)} label={t.metadata} />
              </Card>
            </div>
            <About event={one} />
          </div>
        )}
      </Stateful>
    </Page>
  )
}

function Entry({ lines }: { lines: readonly EntryLine[] }) {
  const t = useMessages(ledgerMessages)
  const [debit, credit] = [sum(lines.map((line) => line.debit_usd ?? ZERO)), sum(lines.map((line) => line.credit_usd ?? ZERO))]
  const balanced = compare(debit, credit) === 0
  const columns: Array<Column<EntryLine>> = [
    {
      key: 'account',
      head: t.account,
      cell: (line) => (
        <>
          <code className="font-mono text-[0.8125rem] break-all max-sm:text-xs">{line.account}</code>
          <Side name={t.debit} amount={line.debit_usd} />
          <Side name={t.credit} amount={line.credit_usd} />
        </>
      ),
    },
    { key: 'debit', head: t.debit, right: true, from: 'sm', cell: (line) => line.debit_usd != null && <Money value={line.debit_usd} /> },
    { key: 'credit', head: t.credit, right: true, from: 'sm', cell: (line) => line.credit_usd != null && <Money value={line.credit_usd} /> },
  ]
  return (
    <Card
      title={t.entry}
      flush
      actions={lines.length > 0 && <Badge tone={balanced ? 'good' : 'bad'}>{balanced ? t.balanced : t.unbalanced}</Badge>}
    >
      <Table
        label={t.entry}
        rows={{ data: lines, isPending: false, trouble: null, retry: () => undefined }}
        columns={columns}
        rowKey={(line) => `${line.account} ${line.debit_usd ?? ''} ${line.credit_usd ?? ''}`}
        empty={<p className="px-4 pb-5 text-muted sm:px-5">{t.noMoney}</p>}
        footer={
          <tfoot>
            <tr className="border-t border-edge font-semibold">
              <td className="h-11 px-4 sm:px-5">
                {t.sum}
                <span className="float-right sm:hidden">
                  <Money value={debit} /> {balanced ? '=' : '≠'} <Money value={credit} />
                </span>
              </td>
              <td className="px-3 text-right max-sm:hidden">
                <Money value={debit} />
              </td>
              <td className="px-4 text-right max-sm:hidden sm:px-5">
                <Money value={credit} />
              </td>
            </tr>
          </tfoot>
        }
      />
    </Card>
  )
}

/** Where there is no room for two columns of amounts. */
function Side({ name, amount }: { name: string; amount: EntryLine['debit_usd'] }) {
  if (amount == null) return null
  return (
    <span className="flex justify-between gap-3 sm:hidden">
      <span className="text-muted">{name}</span>
      <Money value={amount} />
    </span>
  )
}

function isStreamType(type: string): type is 'account' | 'master_account' | 'price_book' {
  return ['account', 'master_account', 'price_book'].includes(type)
}

function About({ event }: { event: EventDetail }) {
  const t = useMessages(ledgerMessages)
  const format = useFormat()
  const id = (label: string, text: string | null | undefined) =>
    text == null ? null : ([label, <Copyable key={label} text={text} short />] as const)
  return (
    <Card
      title={t.about}
      actions={
        <span title={t.verifiesText}>
          <Badge tone={event.verifies ? 'good' : 'bad'}>{event.verifies ? t.verifies : t.broken}</Badge>
        </span>
      }
    >
      <Facts
        rows={[
          [t.name, <code key="name" className="font-mono text-[0.8125rem] break-all">{`${event.event_type} v${event.event_version}`}</code>],
          [
            isStreamType(event.stream_type) ? t.streamTypes[event.stream_type] : event.stream_type,
            event.stream_type === 'price_book' ? event.stream : <Copyable key="stream" text={event.stream} short />,
          ],
          [t.sequence, format.number(event.sequence)],
          [t.when, <Time key="when" at={event.recorded_at} />],
          id(t.actor, event.actor),
          id(t.request, event.request_id),
          id(t.hash, event.hash),
          event.previous_hash == null ? [t.previous, t.first] : id(t.previous, event.previous_hash),
        ]}
      />
      <p className="mt-3 text-[0.8125rem] text-muted">{t.verifiesText}</p>
    </Card>
  )
}
