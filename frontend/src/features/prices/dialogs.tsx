import { useMessages } from '@/lib/i18n'
import { CommandDialog } from '../shared/command'
import { commandMessages } from '../shared/command-messages'
import { priceMessages } from './messages'
import { type Plan, type Scope, definePlan, setDefault, setRatio } from './queries'

export function useReason() {
  const words = useMessages(commandMessages)
  return { name: 'reason', label: words.reason, kind: 'area' as const, hint: words.reasonHint }
}

export function DefaultDialog({ ratio, onClose }: { ratio: string | null; onClose: () => void }) {
  const t = useMessages(priceMessages)
  const reason = useReason()
  return (
    <CommandDialog
      title={t.setFor(t.standard)}
      description={t.standardText}
      action={t.save}
      onClose={onClose}
      fields={[{ name: 'ratio', label: t.ratioField, kind: 'ratio', initial: ratio ?? '' }, reason]}
      run={(v, key) => setDefault(key, { default_sale_ratio: v.text('ratio'), reason: v.text('reason') })}
    />
  )
}

type RatioProps = { of?: { scope: Scope; subject: string; name: string; ratio: string | null }; onClose: () => void }

/** The ratio of one model or account: given, or to be named. */
export function RatioDialog({ of, onClose }: RatioProps) {
  const t = useMessages(priceMessages)
  const reason = useReason()
  const scopes = (['model', 'account'] as const).map((value) => ({ value, label: t.scopes[value] }))
  const ratio = { name: 'ratio', label: t.ratioField, kind: 'ratio' as const, initial: of?.ratio ?? '' }
  return (
    <CommandDialog
      title={of === undefined ? t.setNew : t.setFor(of.name)}
      action={t.save}
      onClose={onClose}
      fields={
        of === undefined
          ? [
              { name: 'scope', label: t.scope, kind: 'select', options: scopes, initial: 'model' },
              { name: 'subject', label: t.subject, kind: 'text' },
              ratio,
              reason,
            ]
          : [{ ...ratio, optional: true, hint: t.ratioHint }, reason]
      }
      run={(v, key) => {
        const scope = of?.scope ?? (v.text('scope') === 'account' ? 'account' : 'model')
        return setRatio(key, { scope, subject: of?.subject ?? v.text('subject'), ratio: v.maybe('ratio'), reason: v.text('reason') })
      }}
    />
  )
}

export function PlanDialog({ plan, onClose }: { plan: Plan | null; onClose: () => void }) {
  const t = useMessages(priceMessages)
  const reason = useReason()
  const limits = plan?.limits
  const field = (name: 'daily' | 'monthly' | 'rpm' | 'tpm' | 'concurrent', kind: 'money' | 'count', value: string | number | null | undefined) => ({
    name, label: t[name], kind, optional: true, placeholder: t.noLimit, initial: value == null ? '' : String(value),
  })
  return (
    <CommandDialog
      title={plan === null ? t.planNew : `${t.plan}: ${plan.name}`}
      action={t.save}
      onClose={onClose}
      fields={[
        ...(plan === null ? [{ name: 'name', label: t.planName, kind: 'text' as const, hint: t.planHint }] : []),
        { name: 'ratio', label: t.ratioField, kind: 'ratio', initial: plan?.sale_ratio ?? '' },
        field('daily', 'money', limits?.daily_limit_usd),
        field('monthly', 'money', limits?.monthly_limit_usd),
        field('rpm', 'count', limits?.requests_per_minute),
        field('tpm', 'count', limits?.tokens_per_minute),
        field('concurrent', 'count', limits?.concurrent_requests),
        reason,
      ]}
      run={(v, key) =>
        definePlan(plan?.name ?? v.text('name'), key, {
          sale_ratio: v.text('ratio'),
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
