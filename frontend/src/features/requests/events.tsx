import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { Badge, Card } from '@/ui/card'
import { Copyable } from '@/ui/copy'
import { Icon } from '@/ui/icon'
import { Money } from '@/ui/money'
import { Time } from '@/ui/time'
import type { Explanation } from '../shared/requests'
import { detailMessages, said } from './detail-messages'

type Event = Explanation['events'][number]

/** The events that hold all this, as a line of time. */
export function EventsCard({ events }: { events: readonly Event[] }) {
  const t = useMessages(detailMessages)
  return (
    <Card title={t.events}>
      <p className="mb-4 max-w-prose text-muted">{t.chain}</p>
      <ol className="space-y-5">
        {events.map((event) => (
          <EventItem key={event.position} event={event} />
        ))}
      </ol>
    </Card>
  )
}

function EventItem({ event }: { event: Event }) {
  const t = useMessages(detailMessages)
  const format = useFormat()
  const opens = event.event_type === 'FundsReserved'
  return (
    <li className="relative border-l border-edge pl-5">
      <span className="absolute top-1.5 -left-1 size-2 rounded-full bg-accent" aria-hidden="true" />
      <div className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
        <span className="font-medium">{said(t.types, event.event_type)}</span>
        <span className="nums text-[0.8125rem] text-muted">
          {t.position} {format.number(event.position)}
        </span>
        <Time at={event.recorded_at} className="text-[0.8125rem] text-muted" />
      </div>
      <dl className="nums mt-1 flex flex-wrap gap-x-6 gap-y-1 text-[0.8125rem]">
        {event.reserved_usd != null && (
          <div className="flex gap-2">
            <dt className="text-muted">{opens ? t.reserved : t.free}</dt>
            <dd>
              <Money value={event.reserved_usd} />
            </dd>
          </div>
        )}
        {event.balance_change_usd != null && (
          <div className="flex gap-2">
            <dt className="text-muted">{t.change}</dt>
            <dd>
              <Money value={event.balance_change_usd} signed />
            </dd>
          </div>
        )}
        {event.reason != null && <dd className="text-muted">{said(t.outcomes, event.reason)}</dd>}
      </dl>
      <div className="mt-1.5 flex flex-wrap items-center gap-x-3 text-[0.8125rem]">
        <span className="text-muted">{t.hash}</span>
        <Copyable text={event.hash} short />
        <span title={event.verifies ? t.verifies : t.broken}>
          {event.verifies ? (
            <Badge tone="good">
              <Icon name="check" className="size-3.5" />
              <span className="sr-only">{t.verifies}</span>
            </Badge>
          ) : (
            <Badge tone="bad">{t.broken}</Badge>
          )}
        </span>
      </div>
    </li>
  )
}
