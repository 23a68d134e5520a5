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
import { keysQuery } from '../shared/keys'
import { RequestState } from '../shared/request-state'
import { type Explanation, explanationQuery } from '../shared/requests'
import { ChargeCard } from './charge'
import { detailMessages, said } from './detail-messages'
import { EventsCard } from './events'

export function RequestPage() {
  const t = useMessages(detailMessages)
  const { id } = useParams({ from: '/app/requests/$id' })
  const query = useQuery(explanationQuery(id))
  const request = useAsked(query, (data) => data)
  return (
    <Page
      title={query.data === undefined ? t.title : query.data.model}
      crumb={
        <Link to="/requests" className="hover:text-ink">
          ← {t.back}
        </Link>
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
            <FactsCard request={data} />
          </div>
        )}
      </Stateful>
    </Page>
  )
}

function FactsCard({ request }: { request: Explanation }) {
  const t = useMessages(detailMessages)
  const format = useFormat()
  const keys = useQuery(keysQuery).data?.data ?? []
  const key = keys.find(({ id }) => id === request.api_key_id)
  const { charge, fairness } = request
  const row = (label: string, value: React.ReactNode) => (value == null ? null : ([label, value] as const))
  const id = (text: string | null | undefined) => (text == null ? null : <Copyable text={text} />)
  const duration = (ms: number | null | undefined) => (ms == null ? null : format.duration(ms))
  return (
    <Card title={t.facts}>
      <Facts
        rows={[
          row(t.state, <RequestState state={request.state} />),
          row(t.outcome, said(t.outcomes, request.outcome)),
          row(t.answered, request.answered_model),
          row(t.key, key?.name ?? id(request.api_key_id)),
          row(t.ended, <Time at={request.ended_at} />),
          row(t.first, duration(request.first_byte_ms)),
          row(t.total, duration(request.total_ms)),
          row(t.streamed, request.streamed == null ? null : request.streamed ? t.yes : t.no),
          row(t.reserved, <Money value={charge.reserved_usd} />),
          row(t.source, charge.source == null ? null : said(t.sources, charge.source)),
          row(t.reasoning, (charge.reasoning_tokens ?? 0) === 0 ? null : format.number(charge.reasoning_tokens ?? 0)),
          row(t.prices, prices(charge, t.version, format.number)),
          row(t.mishap, fairness == null ? null : said(t.mishaps, fairness.mishap)),
          row(t.treatment, fairness?.treatment == null ? null : said(t.treatments, fairness.treatment)),
          row(t.requestId, id(request.request_id)),
          row(t.reservation, id(request.id)),
          row(t.generation, id(request.generation_id)),
        ]}
      />
    </Card>
  )
}

function prices(charge: Explanation['charge'], say: (version: string, position: string) => string, number: (n: number) => string) {
  const { price_version: version, priced_at_position: position } = charge
  return version == null || position == null ? null : say(number(version), number(position))
}
