import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useAsked } from '@/api/trouble'
import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { isNegative, isZero, share, sum } from '@/lib/money'
import { Button } from '@/ui/button'
import { Badge, Card, Facts, Figure } from '@/ui/card'
import { Copyable } from '@/ui/copy'
import { Money } from '@/ui/money'
import { AsOf, Page } from '@/ui/page'
import { Empty, Skeleton, Stateful } from '@/ui/state'
import { Time } from '@/ui/time'
import { type Master, mastersQuery } from '../shared/clients'
import { useMayChange } from '../shared/role'
import { MasterActions, RegisterDialog } from './actions'
import { masterMessages } from './messages'

export function MastersPage() {
  const t = useMessages(masterMessages)
  const [registering, setRegistering] = useState(false)
  const change = useMayChange()
  const query = useQuery(mastersQuery)
  const masters = useAsked(query, (page) => page.data)
  const button = change && (
    <Button icon="plus" onClick={() => setRegistering(true)}>
      {t.register}
    </Button>
  )
  return (
    <Page
      title={t.title}
      description={t.description}
      asOf={<AsOf position={query.data?.as_of_position} readAt={query.dataUpdatedAt} />}
      actions={button}
    >
      <Stateful
        of={masters}
        skeleton={<Card><Skeleton lines={8} /></Card>}
        isEmpty={(list) => list.length === 0}
        empty={<Card flush><Empty icon="vault" title={t.none} action={button}>{t.noneText}</Empty></Card>}
      >
        {(list) => list.map((master) => <MasterCard key={master.id} master={master} change={change} />)}
      </Stateful>
      {registering && <RegisterDialog onClose={() => setRegistering(false)} />}
    </Page>
  )
}

/** A runway of fewer days than a purchase may take. */
const SHORT_DAYS = 7
/** From here on the pace says nothing any more. */
const LONG_DAYS = 3_650

function MasterCard({ master, change }: { master: Master; change: boolean }) {
  const t = useMessages(masterMessages)
  const format = useFormat()
  const name = master.label ?? master.id
  const all = sum([master.bought_usd, master.adjusted_usd])
  const days = master.runway_days
  const left = isNegative(master.remaining_usd) ? 0 : Math.min(1, share(master.remaining_usd, all))
  const scarce = days != null && days < SHORT_DAYS
  return (
    <Card
      title={
        <span className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
          {name}
          {master.status === 'disabled' ? <Badge tone="bad">{t.states.disabled}</Badge> : <Badge tone="good">{t.states.enabled}</Badge>}
        </span>
      }
      actions={change && <MasterActions master={master} name={name} />}
    >
      <dl className="grid grid-cols-2 gap-x-6 gap-y-5 sm:grid-cols-4">
        <Figure label={t.left} note={t.leftOf(format.money(all, 2))}>
          <Money value={master.remaining_usd} decimals={4} className={isNegative(master.remaining_usd) ? 'text-bad' : ''} />
        </Figure>
        <Figure label={t.used} note={t.pace(format.money(master.used_7_days_usd, 2))}>
          <Money value={master.used_usd} decimals={4} />
        </Figure>
        <Figure label={t.costRate} note={t.costRateNote}>
          <span className="nums" title={master.cost_rate == null ? '' : format.decimal(master.cost_rate)}>
            {master.cost_rate == null ? '—' : format.decimal(short(master.cost_rate))}
          </span>
        </Figure>
        <Figure label={t.lasts} note={days == null ? t.noPace : undefined}>
          <span className={scarce ? 'nums text-bad' : 'nums'}>{days == null ? '—' : days > LONG_DAYS ? t.long : t.days(days, format.number(days))}</span>
        </Figure>
      </dl>
      <div className="mt-4 h-1.5 overflow-hidden rounded-full bg-sunken">
        <div className={`h-full rounded-full ${scarce ? 'bg-warn' : 'bg-chart-1'}`} style={{ width: `${left * 100}%` }} />
      </div>
      <div className="mt-3 grid gap-x-10 lg:grid-cols-2">
        <Facts
          rows={[
            [t.bought, <Money key="bought" value={master.bought_usd} />],
            [t.paid, <Money key="paid" value={sum([master.paid_usd, master.fees_usd])} />],
            isZero(master.adjusted_usd) ? null : [t.adjusted, <Money key="adjusted" value={master.adjusted_usd} signed />],
            isZero(master.waived_list_cost_usd) ? null : [t.waived, <Money key="waived" value={master.waived_list_cost_usd} />],
            [t.cost, <Money key="cost" value={master.cost_usd} />],
            [t.purchases, format.number(master.purchases)],
          ]}
        />
        <Facts
          rows={[
            [t.key, <code key="key" className="font-mono text-[0.8125rem]">{master.masked_key ?? '—'}</code>],
            [t.provider, master.provider ?? '—'],
            [t.baseUrl, <span key="url" className="break-all">{master.base_url ?? '—'}</span>],
            ['Id', <Copyable key="id" text={master.id} short />],
            master.registered_at == null ? null : [t.registered, <Time key="registered" at={master.registered_at} />],
            [t.requests, format.number(master.requests)],
          ]}
        />
      </div>
    </Card>
  )
}

/** Six digits say enough at a glance; the title has all. */
function short(rate: string): string {
  return rate.replace(/^(\d+\.\d{6})\d+$/, '$1')
}
