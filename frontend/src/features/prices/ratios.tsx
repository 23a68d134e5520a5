import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { useAsked } from '@/api/trouble'
import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import type { Money } from '@/lib/money'
import { Button } from '@/ui/button'
import { Card } from '@/ui/card'
import { Skeleton, Stateful } from '@/ui/state'
import { type Column, Table } from '@/ui/table'
import { plansQuery } from '../customers/queries'
import { Paged } from '../shared/paged'
import { useMayChange } from '../shared/role'
import { DefaultDialog, PlanDialog, RatioDialog } from './dialogs'
import { priceMessages } from './messages'
import { type Plan, type Ratio, type Scope, pricesQuery, ratiosQuery } from './queries'

type Open = { what: 'default' } | { what: 'new' } | { what: 'plan'; plan: Plan | null } | { what: 'ratio'; of: { scope: Scope; subject: string; name: string; ratio: string } }

/** Every ratio, from the one for all to those for one. */
export function Ratios() {
  const t = useMessages(priceMessages)
  const format = useFormat()
  const [open, setOpen] = useState<Open | null>(null)
  const close = () => setOpen(null)
  const change = useMayChange()
  const asked = useQuery(pricesQuery)
  const prices = useAsked(asked, (data) => data)
  // Drawn when all of it is there: each part is as high as what is in it, and would push the next ones down.
  const parts = [asked, useQuery(plansQuery), useInfiniteQuery(ratiosQuery('model')), useInfiniteQuery(ratiosQuery('account'))]
  if (parts.some((part) => part.isPending)) {
    return (
      <Card title={t.standard}>
        <Skeleton lines={8} />
      </Card>
    )
  }
  return (
    <div className="space-y-4">
      <Card
        title={t.standard}
        actions={change && <Button small aria-label={`${t.change}: ${t.standard}`} onClick={() => setOpen({ what: 'default' })}>{t.change}</Button>}
      >
        <Stateful of={prices} skeleton={<Skeleton lines={1} />}>
          {(data) => (
            <>
              <p className="nums text-xl font-semibold tracking-tight" data-testid="default-ratio">
                {data.default_sale_ratio == null ? t.unset : `× ${format.decimal(data.default_sale_ratio)}`}
              </p>
              <p className="mt-0.5 text-[0.8125rem] text-muted">{t.standardText}</p>
            </>
          )}
        </Stateful>
      </Card>
      <Plans {...(change && { onOpen: (plan: Plan | null) => setOpen({ what: 'plan', plan }) })} />
      <div className="flex flex-wrap items-center justify-between gap-2 pt-2">
        <h2 className="text-[0.9375rem] font-semibold">{t.models}</h2>
        {change && (
          <Button small icon="plus" onClick={() => setOpen({ what: 'new' })}>
            {t.setNew}
          </Button>
        )}
      </div>
      <Overrides scope="model" head={t.model} {...(change && { onOpen: (of) => setOpen({ what: 'ratio', of }) })} />
      <h2 className="pt-2 text-[0.9375rem] font-semibold">{t.accounts}</h2>
      <Overrides scope="account" head={t.accounts} {...(change && { onOpen: (of) => setOpen({ what: 'ratio', of }) })} />
      {open?.what === 'default' && <DefaultDialog ratio={prices.data?.default_sale_ratio ?? null} onClose={close} />}
      {open?.what === 'plan' && <PlanDialog plan={open.plan} onClose={close} />}
      {open?.what === 'new' && <RatioDialog onClose={close} />}
      {open?.what === 'ratio' && <RatioDialog of={open.of} onClose={close} />}
    </div>
  )
}

function Plans({ onOpen }: { onOpen?: (plan: Plan | null) => void }) {
  const t = useMessages(priceMessages)
  const format = useFormat()
  const rows = useAsked(useQuery(plansQuery), (data) => data.data)
  const usd = (value: Money | null | undefined) => (value == null ? '—' : format.money(value))
  const count = (value: number | null | undefined) => (value == null ? '—' : format.number(value))
  const columns: Array<Column<Plan>> = [
    { key: 'plan', head: t.plan, grow: true, cell: (row) => <span className="block truncate font-medium">{row.name}</span> },
    { key: 'daily', head: t.daily, right: true, from: 'md', cell: (row) => usd(row.limits.daily_limit_usd) },
    { key: 'monthly', head: t.monthly, right: true, from: 'md', cell: (row) => usd(row.limits.monthly_limit_usd) },
    { key: 'rpm', head: t.rpm, right: true, from: 'lg', cell: (row) => count(row.limits.requests_per_minute) },
    { key: 'concurrent', head: t.concurrent, right: true, from: 'lg', cell: (row) => count(row.limits.concurrent_requests) },
    { key: 'ratio', head: t.ratio, right: true, cell: (row) => <Times ratio={row.sale_ratio ?? null} /> },
    ...edit<Plan>(t, onOpen, (row) => row.name),
  ]
  return (
    <Card
      title={t.plans}
      flush
      actions={
        onOpen !== undefined && (
          <Button small icon="plus" onClick={() => onOpen(null)}>
            {t.planNew}
          </Button>
        )
      }
    >
      <Table label={t.plans} rows={rows} columns={columns} rowKey={(row) => row.name} empty={<Nothing>{t.noPlans}</Nothing>} />
    </Card>
  )
}

function edit<Row>(t: { change: string }, onOpen: ((row: Row) => void) | undefined, label: (row: Row) => string): Array<Column<Row>> {
  if (onOpen === undefined) return []
  const cell = (row: Row) => (
    <Button small aria-label={`${t.change}: ${label(row)}`} onClick={() => onOpen(row)}>
      {t.change}
    </Button>
  )
  return [{ key: 'edit', head: '', right: true, cell }]
}

type OverrideProps = {
  scope: Scope
  head: string
  onOpen?: (of: { scope: Scope; subject: string; name: string; ratio: string }) => void
}

function Overrides({ scope, head, onOpen }: OverrideProps) {
  const t = useMessages(priceMessages)
  const name = ({ customer, subject }: Ratio) => customer ?? subject
  const open = onOpen === undefined ? undefined : (row: Ratio) => onOpen({ scope, subject: row.subject, name: name(row), ratio: row.ratio })
  const columns: Array<Column<Ratio>> = [
    { key: 'subject', head, grow: true, cell: (row) => <span className="block truncate font-medium" title={row.subject}>{name(row)}</span> },
    { key: 'ratio', head: t.ratio, right: true, cell: (row) => <Times ratio={row.ratio} /> },
    ...edit(t, open, name),
  ]
  return (
    <Paged
      query={useInfiniteQuery(ratiosQuery(scope))}
      label={head}
      columns={columns}
      rowKey={(row) => row.subject}
      empty={<Nothing>{t.noOverrides}</Nothing>}
    />
  )
}

function Times({ ratio }: { ratio: string | null }) {
  const format = useFormat()
  return <span className="nums font-medium whitespace-nowrap">{ratio === null ? '—' : `× ${format.decimal(ratio)}`}</span>
}

function Nothing({ children }: { children: ReactNode }) {
  return <p className="px-4 py-4 text-muted sm:px-5">{children}</p>
}
