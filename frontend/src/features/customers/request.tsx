import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { useAsked } from '@/api/trouble'
import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { Card, Facts } from '@/ui/card'
import { Copyable } from '@/ui/copy'
import { Money } from '@/ui/money'
import { AsOf, Page } from '@/ui/page'
import { Skeleton, Stateful } from '@/ui/state'
import { Time } from '@/ui/time'
import { ChargeCard } from '../requests/charge'
import { detailMessages, said } from '../requests/detail-messages'
import { EventsCard } from '../requests/events'
import { EventLink } from '../shared/event-link'
import { RequestState } from '../shared/request-state'
import { customerMessages } from './messages'
import { type AdminRequest, adminRequestQuery } from './queries'

/** A customer's request: what the customer is told, and what it cost. */
export function ClientRequestPage() {
  const t = useMessages(customerMessages)
  const { id } = useParams({ from: '/app/operator/requests/$id' })
  const query = useQuery(adminRequestQuery(id))
  const request = useAsked(query, (data) => data)
  return (
    <Page
      title={query.data === undefined ? t.request : query.data.model}
      crumb={
        query.data !== undefined && (
          <Link to="/operator/customers/$id" params={{ id: query.data.account_id }} search={{ show: 'requests' }} className="hover:text-ink">
            ← {t.customer}
          </Link>
        )
      }
      asOf={<AsOf position={query.data?.as_of_position} readAt={query.dataUpdatedAt} />}
    >
      <Stateful of={request} skeleton={<Card><Skeleton lines={10} /></Card>}>
        {(data) => (
          <div className="grid items-start gap-4 lg:grid-cols-[3fr_2fr]">
            <div className="min-w-0 space-y-4">
              <ChargeCard charge={data.charge} />
              <EventsCard events={data.events} />
            </div>
            <div className="min-w-0 space-y-4">
              <Behind request={data} />
              <About request={data} />
            </div>
          </div>
        )}
      </Stateful>
    </Page>
  )
}

function Behind({ request }: { request: AdminRequest }) {
  const t = useMessages(customerMessages)
  const format = useFormat()
  const amount = (label: string, value: AdminRequest['cost_usd'], signed = false) =>
    value == null ? null : ([label, <Money key={label} value={value} signed={signed} />] as const)
  return (
    <Card title={t.operatorOnly}>
      <Facts
        rows={[
          [t.account, <Copyable key="account" text={request.account_id} short />],
          request.master_account_id == null ? null : [t.master, <Copyable key="master" text={request.master_account_id} short />],
          request.cost_rate == null ? null : [t.costRate, <span key="rate" className="nums">{format.decimal(request.cost_rate)}</span>],
          amount(t.cost, request.cost_usd),
          amount(t.waived, request.waived_usd),
          amount(t.margin, request.margin_usd, true),
          [
            t.event,
            <span key="events" className="flex flex-wrap gap-x-3">
              {request.events.map(({ position }) => (
                <EventLink key={position} position={position} />
              ))}
            </span>,
          ],
          [t.actor, <Copyable key="actor" text={request.actor} short />],
        ]}
      />
    </Card>
  )
}

function About({ request }: { request: AdminRequest }) {
  const t = useMessages(detailMessages)
  const { charge } = request
  const id = (label: string, text: string | null | undefined) =>
    text == null ? null : ([label, <Copyable key={label} text={text} short />] as const)
  return (
    <Card title={t.facts}>
      <Facts
        rows={[
          [t.state, <RequestState key="state" state={request.state} />],
          [t.outcome, said(t.outcomes, request.outcome)],
          [t.ended, <Time key="ended" at={request.ended_at} />],
          [t.reserved, <Money key="reserved" value={charge.reserved_usd} />],
          charge.source == null ? null : [t.source, said(t.sources, charge.source)],
          id(t.requestId, request.request_id),
          id(t.reservation, request.id),
          id(t.generation, request.generation_id),
        ]}
      />
    </Card>
  )
}
