import { type FormEvent, useState } from 'react'
import { useTroubleText } from '@/api/trouble'
import { useMessages } from '@/lib/i18n'
import { Button } from '@/ui/button'
import { MoneyField, SelectField, TextField, goToWrong } from '@/ui/field'
import { uiMessages } from '@/ui/messages'
import { TroubleBox } from '@/ui/state'
import { type Errors, type Expiry, type KeyForm, type Period, read } from './form'
import { keyMessages } from './messages'
import type { KeyBody } from '../shared/keys'

const PERIODS: readonly Period[] = ['day', 'week', 'month', 'total']
const EXPIRIES: readonly Expiry[] = ['never', 'hour', 'day', 'week', 'month', 'quarter', 'date']

type Props = {
  initial: KeyForm
  action: string
  busy: boolean
  error: Error | null
  onSubmit: (body: KeyBody) => void
  onCancel: () => void
}

/** Name and limits of a key, new or old. */
export function KeyFields({ initial, action, busy, error, onSubmit, onCancel }: Props) {
  const t = useMessages(keyMessages)
  const ui = useMessages(uiMessages)
  const describe = useTroubleText()
  const [form, setForm] = useState(initial)
  const [errors, setErrors] = useState<Errors>({})
  const set = (changes: Partial<KeyForm>) => setForm({ ...form, ...changes })
  const wrong = (field: keyof KeyForm) => {
    const error = errors[field]
    return error === undefined ? null : t[error]
  }
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const result = read(form, Date.now())
    setErrors(result.errors ?? {})
    if (result.errors === undefined) onSubmit(result.body)
    else goToWrong(event.currentTarget)
  }
  const text = (field: 'name' | 'models' | 'addresses' | 'rpm' | 'tpm' | 'concurrent') => ({
    value: form[field],
    error: wrong(field),
    onChange: (event: { target: { value: string } }) => set({ [field]: event.target.value }),
  })
  const expiries = initial.expiry === 'keep' ? (['keep', ...EXPIRIES] as const) : EXPIRIES
  return (
    <form onSubmit={submit} className="space-y-4" noValidate>
      {error !== null && <TroubleBox trouble={describe(error)} slim />}
      <TextField label={t.name} name="name" autoComplete="off" maxLength={200} autoFocus required {...text('name')} />
      <div className="grid grid-cols-[1fr_9rem] items-start gap-3">
        <MoneyField
          label={t.limit}
          name="limit"
          placeholder={t.noLimit}
          value={form.limit}
          error={wrong('limit')}
          onChange={(event) => set({ limit: event.target.value })}
        />
        <SelectField
          label={t.period}
          value={form.period}
          options={PERIODS.map((value) => ({ value, label: t.periods[value] }))}
          onChange={(period) => set({ period })}
        />
      </div>
      <div className="grid items-start gap-3 sm:grid-cols-2">
        <SelectField
          label={t.expires}
          value={form.expiry}
          options={expiries.map((value) => ({ value, label: t.expiries[value] }))}
          onChange={(expiry) => set({ expiry })}
        />
        {form.expiry === 'date' && (
          <TextField
            label={t.expiresAt}
            type="date"
            value={form.date}
            error={wrong('date')}
            onChange={(event) => set({ date: event.target.value })}
          />
        )}
      </div>
      <TextField label={t.models} name="models" hint={t.modelsHint} autoComplete="off" spellCheck={false} {...text('models')} />
      <details>
        <summary className="text-[0.8125rem] font-medium text-muted hover:text-ink">{t.more}</summary>
        <div className="mt-3 grid items-start gap-3 sm:grid-cols-3">
          <TextField label={t.rpm} inputMode="numeric" placeholder={t.noLimit} {...text('rpm')} />
          <TextField label={t.tpm} inputMode="numeric" placeholder={t.noLimit} {...text('tpm')} />
          <TextField label={t.concurrent} inputMode="numeric" placeholder={t.noLimit} {...text('concurrent')} />
          <TextField label={t.addresses} hint={t.addressesHint} className="sm:col-span-3" spellCheck={false} {...text('addresses')} />
        </div>
      </details>
      <div className="flex justify-end gap-2 pt-1">
        <Button onClick={onCancel}>{ui.cancel}</Button>
        <Button type="submit" kind="primary" busy={busy}>
          {action}
        </Button>
      </div>
    </form>
  )
}
