import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { balanceQuery, meQuery } from '@/api/queries'
import { useAsked, useTroubleText } from '@/api/trouble'
import { addMonths, dayOf, monthOf } from '@/lib/days'
import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { isZero } from '@/lib/money'
import { Button } from '@/ui/button'
import { Card, Figure } from '@/ui/card'
import { Icon } from '@/ui/icon'
import { uiMessages } from '@/ui/messages'
import { Money } from '@/ui/money'
import { AsOf, Page } from '@/ui/page'
import { Empty, Skeleton, Stateful } from '@/ui/state'
import { billingMessages } from './messages'
import { Movements } from './movements'
import { movementsQuery } from './queries'

const MOST_MONTHS = 12

export function BillingPage() {
  const t = useMessages(billingMessages)
  const balance = useQuery(balanceQuery)
  return (
    <Page
      title={t.title}
      description={t.description}
      asOf={<AsOf position={balance.data?.as_of_position} readAt={balance.dataUpdatedAt} />}
    >
      <Totals />
      <div className="grid items-start gap-4 lg:grid-cols-[1fr_17rem]">
        <AllMovements />
        <Statements />
      </div>
    </Page>
  )
}

function Totals() {
  const t = useMessages(billingMessages)
  const balance = useAsked(useQuery(balanceQuery), (data) => data)
  return (
    <Card>
      <Stateful of={balance} skeleton={<Skeleton lines={2} />}>
        {(data) => (
          <dl className="grid grid-cols-2 gap-x-6 gap-y-5 sm:grid-cols-3 lg:flex lg:flex-wrap lg:gap-x-12">
            <Figure label={t.balance}>
              <Money value={data.balance_usd} decimals={6} down />
            </Figure>
            <Figure label={t.toppedUp}>
              <Money value={data.lifetime_topped_up_usd} decimals={2} />
            </Figure>
            <Figure label={t.spent}>
              <Money value={data.lifetime_spent_usd} decimals={6} />
            </Figure>
            {(['refunded', 'granted', 'expired', 'adjusted'] as const).map((kind) => {
              const amount = data[`lifetime_${kind}_usd`]
              return isZero(amount) ? null : (
                <Figure key={kind} label={t[kind]}>
                  <Money value={amount} decimals={2} />
                </Figure>
              )
            })}
          </dl>
        )}
      </Stateful>
    </Card>
  )
}

function AllMovements() {
  const t = useMessages(billingMessages)
  const ui = useMessages(uiMessages)
  const describe = useTroubleText()
  const query = useInfiniteQuery(movementsQuery)
  const rows = {
    data: query.data?.pages.flatMap((page) => page.data),
    isPending: query.isPending,
    trouble: query.error === null ? null : describe(query.error),
    retry: () => void query.refetch(),
  }
  return (
    <Card title={t.movements} flush>
      <Movements
        rows={rows}
        empty={
          <Empty icon="card" title={t.empty}>
            {t.emptyText}
          </Empty>
        }
      />
      {query.hasNextPage && (
        <div className="border-t border-line p-3 text-center">
          <Button small busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {ui.loadMore}
          </Button>
        </div>
      )}
    </Card>
  )
}

/** One line for each month since the account was opened. */
function Statements() {
  const t = useMessages(billingMessages)
  const format = useFormat()
  const { data: me } = useQuery(meQuery)
  const current = monthOf(dayOf(Date.now()))
  const opened = me === undefined ? current : monthOf(me.created_at.slice(0, 10))
  const months = Array.from({ length: MOST_MONTHS }, (_, back) => addMonths(current, -back)).filter((month) => month >= opened)
  return (
    <Card title={t.statements} flush>
      <ul className="pb-2">
        {months.map((month) => (
          <li key={month}>
            <Link
              to="/billing/statements/$month"
              params={{ month }}
              className="flex h-10 items-center justify-between gap-3 px-4 first-letter:uppercase hover:bg-sunken sm:px-5"
            >
              <span className="first-letter:uppercase">{format.month(`${month}-01`)}</span>
              <Icon name="right" className="size-4 text-faint" />
            </Link>
          </li>
        ))}
      </ul>
    </Card>
  )
}
