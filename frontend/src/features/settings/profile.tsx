import { useState } from 'react'
import { useCommand } from '@/api/queries'
import { type Language, setLanguage, useLanguage, useMessages } from '@/lib/i18n'
import { parseMoney } from '@/lib/money'
import { type Theme, setTheme, useTheme } from '@/lib/theme'
import { Badge, Card } from '@/ui/card'
import { Copyable } from '@/ui/copy'
import { MoneyField, SelectField, TextField } from '@/ui/field'
import { Segments } from '@/ui/tabs'
import { toast } from '@/ui/toast'
import { SettingsForm } from './form'
import { settingsMessages } from './messages'
import { type Me, changeMe } from './queries'

const LANGUAGES: ReadonlyArray<{ value: Language; label: string }> = [
  { value: 'en', label: 'English' },
  { value: 'ru', label: 'Русский' },
]
const THEMES: readonly Theme[] = ['system', 'light', 'dark']

export function Profile({ me }: { me: Me }) {
  const t = useMessages(settingsMessages)
  const [name, setName] = useState(me.name)
  const [language, setMailLanguage] = useState(me.language)
  const change = useCommand(changeMe)
  const save = () => change.mutate({ name, language }, { onSuccess: () => toast(t.saved) })
  return (
    <Card title={t.profile}>
      <SettingsForm action={t.save} busy={change.isPending} error={change.error} onSubmit={save}>
        <p className="flex flex-wrap items-center gap-2">
          {me.email}
          <Badge tone={me.email_verified ? 'good' : 'plain'}>{me.email_verified ? t.verified : t.unverified}</Badge>
        </p>
        <p className="text-muted">
          {t.account} <Copyable text={me.account_id} />
        </p>
        <TextField label={t.name} autoComplete="name" maxLength={200} value={name} onChange={(event) => setName(event.target.value)} />
        <SelectField label={t.mailLanguage} value={language} options={LANGUAGES} onChange={setMailLanguage} />
      </SettingsForm>
    </Card>
  )
}

export function Appearance() {
  const t = useMessages(settingsMessages)
  return (
    <Card title={t.appearance}>
      <div className="flex flex-wrap gap-x-10 gap-y-4">
        <div>
          <p className="mb-1.5 text-[0.8125rem] font-medium">{t.theme}</p>
          <Segments
            label={t.theme}
            value={useTheme()}
            options={THEMES.map((value) => ({ value, label: t.themes[value] }))}
            onChange={setTheme}
          />
        </div>
        <div>
          <p className="mb-1.5 text-[0.8125rem] font-medium">{t.language}</p>
          <Segments label={t.language} value={useLanguage()} options={LANGUAGES} onChange={setLanguage} />
        </div>
      </div>
    </Card>
  )
}

export function LowBalance({ me }: { me: Me }) {
  const t = useMessages(settingsMessages)
  const [amount, setAmount] = useState<string>(me.low_balance_alert_usd ?? '')
  const [wrong, setWrong] = useState(false)
  const change = useCommand(changeMe)
  const save = () => {
    const alert = amount.trim() === '' ? null : parseMoney(amount)
    const bad = alert === null && amount.trim() !== ''
    setWrong(bad)
    if (!bad) change.mutate({ low_balance_alert_usd: alert }, { onSuccess: () => toast(t.saved) })
  }
  return (
    <Card title={t.alert}>
      <SettingsForm action={t.save} busy={change.isPending} error={change.error} onSubmit={save}>
        <p className="text-muted">{t.alertText}</p>
        <MoneyField
          label={t.alertAmount}
          value={amount}
          error={wrong ? t.badAmount : null}
          onChange={(event) => setAmount(event.target.value)}
        />
      </SettingsForm>
    </Card>
  )
}
