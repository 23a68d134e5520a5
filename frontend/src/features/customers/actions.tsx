import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { isZero } from '@/lib/money'
import { Button, IconButton } from '@/ui/button'
import { Menu, MenuItem, MenuLine } from '@/ui/menu'
import { CommandDialog } from '../shared/command'
import type { FieldSpec } from '../shared/command-form'
import { commandMessages } from '../shared/command-messages'
import { actionMessages, customerMessages } from './messages'
import {
  type ClientDetail, adjust, assignPlan, changeLimits, clientLimitsQuery, grant, plansQuery, refund, reinstate, suspend, topUp,
} from './queries'

type Action = 'topUp' | 'refund' | 'adjust' | 'grant' | 'suspend' | 'reinstate' | 'plan' | 'limits'

/** What an operator may do to a customer's account. */
export function ClientActions({ client }: { client: ClientDetail }) {
  const t = useMessages(actionMessages)
  const [open, setOpen] = useState<Action | null>(null)
  const refundable = client.top_ups.some((one) => !isZero(one.refundable_usd))
  return (
    <>
      <Button kind="primary" icon="plus" onClick={() => setOpen('topUp')}>
        {t.topUp}
      </Button>
      <Menu trigger={<IconButton icon="dots" label={t.actions} />}>
        {refundable && <MenuItem onSelect={() => setOpen('refund')}>{t.refund}</MenuItem>}
        <MenuItem onSelect={() => setOpen('grant')}>{t.grant}</MenuItem>
        <MenuItem onSelect={() => setOpen('adjust')}>{t.adjust}</MenuItem>
        <MenuLine />
        <MenuItem onSelect={() => setOpen('plan')}>{t.plan}</MenuItem>
        <MenuItem onSelect={() => setOpen('limits')}>{t.limits}</MenuItem>
        <MenuLine />
        {client.status === 'suspended' ? (
          <MenuItem onSelect={() => setOpen('reinstate')}>{t.reinstate}</MenuItem>
        ) : (
          <MenuItem danger onSelect={() => setOpen('suspend')}>
            {t.suspend}
          </MenuItem>
        )}
      </Menu>
      {open !== null && <ActionDialog action={open} client={client} onClose={() => setOpen(null)} />}
    </>
  )
}

type DialogProps = { client: ClientDetail; onClose: () => void }

function ActionDialog({ action, ...props }: DialogProps & { action: Action }) {
  switch (action) {
    case 'topUp':
    case 'grant':
    case 'adjust':
    case 'suspend':
    case 'reinstate':
      return <Simple action={action} {...props} />
    case 'refund':
      return <Refund {...props} />
    case 'plan':
      return <Plan {...props} />
    case 'limits':
      return <Limits {...props} />
  }
}

/** The reason that a command stands beside the books with. */
function reasonField(t: { reason: string; reasonHint: string }): FieldSpec {
  return { name: 'reason', label: t.reason, kind: 'area', hint: t.reasonHint }
}

function Simple({ action, client, onClose }: DialogProps & { action: 'topUp' | 'grant' | 'adjust' | 'suspend' | 'reinstate' }) {
  const t = useMessages(actionMessages)
  const reason = reasonField(useMessages(commandMessages))
  const id = client.account_id
  const amount: FieldSpec = { name: 'amount', label: t.amount, kind: 'money' }
  const reference: FieldSpec = { name: 'reference', label: t.reference, kind: 'text', hint: t.referenceHint }
  switch (action) {
    case 'topUp':
      return (
        <CommandDialog
          title={t.topUpTitle}
          action={t.topUp}
          onClose={onClose}
          fields={[amount, reference, { name: 'note', label: t.note, kind: 'area', optional: true }]}
          run={(v, key) => {
            const note = v.maybe('note')
            return topUp(id, key, { amount_usd: v.money('amount'), reference: v.text('reference'), ...(note !== null && { note }) })
          }}
        />
      )
    case 'grant':
      return (
        <CommandDialog
          title={t.grant}
          action={t.grant}
          onClose={onClose}
          fields={[amount, { name: 'expires', label: t.expires, kind: 'date', optional: true }, reason]}
          run={(v, key) => {
            const day = v.maybe('expires')
            const expires = day === null ? {} : { expires_at: `${day}T23:59:59Z` }
            return grant(id, key, { amount_usd: v.money('amount'), reason: v.text('reason'), ...expires })
          }}
        />
      )
    case 'adjust':
      return (
        <CommandDialog
          title={t.adjust}
          action={t.adjust}
          onClose={onClose}
          fields={[{ ...amount, label: t.change, kind: 'change', hint: t.changeHint }, reference, reason]}
          run={(v, key) => adjust(id, key, { amount_usd: v.money('amount'), reference: v.text('reference'), reason: v.text('reason') })}
        />
      )
    case 'suspend':
      return (
        <CommandDialog
          title={t.suspendTitle}
          description={t.suspendText}
          action={t.suspend}
          danger
          onClose={onClose}
          fields={[reason]}
          run={(v, key) => suspend(id, key, v.text('reason'))}
        />
      )
    case 'reinstate':
      return (
        <CommandDialog
          title={t.reinstateTitle}
          action={t.reinstate}
          onClose={onClose}
          fields={[reason]}
          run={(v, key) => reinstate(id, key, v.text('reason'))}
        />
      )
  }
}

function Refund({ client, onClose }: DialogProps) {
  const t = useMessages(actionMessages)
  const reason = reasonField(useMessages(commandMessages))
  const format = useFormat()
  const open = client.top_ups.filter((one) => !isZero(one.refundable_usd))
  const options = open.map((one) => ({
    value: one.id,
    label: `${t.refundable(format.money(one.refundable_usd, 2), one.at == null ? '—' : format.date(one.at))} · ${one.reference ?? one.id}`,
  }))
  return (
    <CommandDialog
      title={t.refundTitle}
      action={t.refund}
      onClose={onClose}
      fields={[
        { name: 'top_up', label: t.ofTopUp, kind: 'select', options, initial: options[0]?.value ?? '' },
        { name: 'amount', label: t.amount, kind: 'money', initial: open[0]?.refundable_usd ?? '' },
        reason,
      ]}
      run={(v, key) => refund(client.account_id, key, { top_up_id: v.text('top_up'), amount_usd: v.money('amount'), reason: v.text('reason') })}
    />
  )
}

function Plan({ client, onClose }: DialogProps) {
  const t = useMessages(actionMessages)
  const reason = reasonField(useMessages(commandMessages))
  const { data } = useQuery(plansQuery)
  if (data === undefined) return null
  const options = [{ value: '', label: '—' }, ...data.data.map(({ name }) => ({ value: name, label: name }))]
  return (
    <CommandDialog
      title={t.plan}
      action={t.save}
      onClose={onClose}
      fields={[{ name: 'plan', label: t.plan, kind: 'select', options, optional: true, initial: client.plan ?? '' }, reason]}
      run={(v, key) => assignPlan(client.account_id, key, { plan: v.maybe('plan'), reason: v.text('reason') })}
    />
  )
}

function Limits({ client, onClose }: DialogProps) {
  const t = useMessages(actionMessages)
  const rows = useMessages(customerMessages).limitRows
  const reason = reasonField(useMessages(commandMessages))
  const { data } = useQuery(clientLimitsQuery(client.account_id))
  if (data === undefined) return null
  const own = data.of_account
  const field = (name: string, label: string, kind: FieldSpec['kind'], value: string | number | null | undefined): FieldSpec => ({
    name, label, kind, optional: true, placeholder: t.noLimit, initial: value == null ? '' : String(value),
  })
  return (
    <CommandDialog
      title={t.limits}
      action={t.save}
      onClose={onClose}
      fields={[
        field('daily', rows.daily, 'money', own.daily_limit_usd),
        field('monthly', rows.monthly, 'money', own.monthly_limit_usd),
        field('rpm', rows.rpm, 'count', own.requests_per_minute),
        field('tpm', rows.tpm, 'count', own.tokens_per_minute),
        field('concurrent', rows.concurrent, 'count', own.concurrent_requests),
        reason,
      ]}
      run={(v, key) =>
        changeLimits(client.account_id, key, {
          daily_limit_usd: v.maybeMoney('daily'),
          monthly_limit_usd: v.maybeMoney('monthly'),
          requests_per_minute: v.maybeCount('rpm'),
          tokens_per_minute: v.maybeCount('tpm'),
          concurrent_requests: v.maybeCount('concurrent'),
          reason: v.text('reason'),
        })
      }
    />
  )
}
