import { useState } from 'react'
import { useCommand } from '@/api/queries'
import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { type Money, parseMoney } from '@/lib/money'
import { Card } from '@/ui/card'
import { MoneyField } from '@/ui/field'
import { toast } from '@/ui/toast'
import { SettingsForm } from './form'
import { settingsMessages } from './messages'
import { type Limits, changeLimits } from './queries'

function read(typed: string): Money | null | 'wrong' {
  if (typed.trim() === '') return null
  return parseMoney(typed) ?? 'wrong'
}

/** The limits that customers set for themselves. */
export function SpendingLimits({ limits }: { limits: Limits }) {
  const t = useMessages(settingsMessages)
  const format = useFormat()
  const [daily, setDaily] = useState<string>(limits.own.daily_limit_usd ?? '')
  const [monthly, setMonthly] = useState<string>(limits.own.monthly_limit_usd ?? '')
  const [tried, setTried] = useState(false)
  const change = useCommand(changeLimits)
  const save = () => {
    setTried(true)
    const [day, month] = [read(daily), read(monthly)]
    if (day === 'wrong' || month === 'wrong') return
    change.mutate({ daily_limit_usd: day, monthly_limit_usd: month }, { onSuccess: () => toast(t.saved) })
  }
  const hint = (spent: string, allowed: Money | null | undefined) =>
    allowed == null ? spent : `${spent}. ${t.allowed(format.money(allowed))}`
  return (
    <Card title={t.limits}>
      <SettingsForm action={t.save} busy={change.isPending} error={change.error} onSubmit={save}>
        <p className="text-muted">{t.limitsText}</p>
        <div className="grid items-start gap-3 sm:grid-cols-2">
          <MoneyField
            label={t.daily}
            placeholder={t.noLimit}
            value={daily}
            hint={hint(t.spentToday(format.money(limits.today.spent_usd, 4)), limits.allowed.daily_limit_usd)}
            error={tried && read(daily) === 'wrong' ? t.badAmount : null}
            onChange={(event) => setDaily(event.target.value)}
          />
          <MoneyField
            label={t.monthly}
            placeholder={t.noLimit}
            value={monthly}
            hint={hint(t.spentMonth(format.money(limits.this_month.spent_usd, 4)), limits.allowed.monthly_limit_usd)}
            error={tried && read(monthly) === 'wrong' ? t.badAmount : null}
            onChange={(event) => setMonthly(event.target.value)}
          />
        </div>
      </SettingsForm>
    </Card>
  )
}
