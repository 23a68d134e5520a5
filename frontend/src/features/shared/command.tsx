import { type FormEvent, type ReactNode, useRef, useState } from 'react'
import { useCommand } from '@/api/queries'
import { useTroubleText } from '@/api/trouble'
import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { idempotencyKey } from '@/lib/idempotency'
import { Button } from '@/ui/button'
import { Facts, Notice } from '@/ui/card'
import { Copyable } from '@/ui/copy'
import { Dialog } from '@/ui/dialog'
import { MoneyField, SelectField, TextArea, TextField, goToWrong } from '@/ui/field'
import { uiMessages } from '@/ui/messages'
import { TroubleBox } from '@/ui/state'
import { type FieldSpec, type Typed, type Values, type Wrong, initialOf, read } from './command-form'
import { commandMessages } from './command-messages'
import { EventLink } from './event-link'

/** What every command answers with. */
export type Made = { position: number; id?: string; replayed?: boolean }

type Props = {
  title: string
  description?: ReactNode
  fields: readonly FieldSpec[]
  action: string
  danger?: boolean
  /** Sends the command; the key makes sure that it happens once, however often it is sent. */
  run: (values: Values, key: string) => Promise<Made>
  onClose: () => void
}

/** Asks for what a command needs, sends it, and shows the event that it made. */
export function CommandDialog({ title, description, fields, action, danger = false, run, onClose }: Props) {
  const t = useMessages(commandMessages)
  const ui = useMessages(uiMessages)
  const describe = useTroubleText()
  const [typed, setTyped] = useState(() => initialOf(fields))
  const [errors, setErrors] = useState<Readonly<Record<string, Wrong>>>({})
  const sent = useRef<{ text: string; key: string } | null>(null)
  const command = useCommand(({ values, key }: { values: Values; key: string }) => run(values, key))
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const result = read(fields, typed)
    setErrors(result.errors ?? {})
    if (result.errors !== undefined) {
      // What the gateway said was about something else.
      command.reset()
      goToWrong(event.currentTarget)
      return
    }
    // The same command again is the same command; another one is another.
    const text = JSON.stringify(typed)
    if (sent.current?.text !== text) sent.current = { text, key: idempotencyKey() }
    command.mutate({ values: result.values, key: sent.current.key })
  }
  if (command.data !== undefined) {
    return (
      <Dialog open onClose={onClose} title={title}>
        <Receipt made={command.data} />
        <div className="mt-5 flex justify-end">
          <Button kind="primary" onClick={onClose} autoFocus>
            {t.done}
          </Button>
        </div>
      </Dialog>
    )
  }
  return (
    <Dialog open onClose={onClose} title={title} {...(description !== undefined && { description })}>
      <form onSubmit={submit} className="space-y-4" noValidate>
        {command.error !== null && <TroubleBox trouble={describe(command.error)} slim />}
        {fields.map((field, index) => {
          const wrong = errors[field.name]
          return (
            <Field
              key={field.name}
              field={field}
              first={index === 0}
              typed={typed}
              error={wrong === undefined ? null : t[wrong]}
              onChange={(value) => setTyped({ ...typed, [field.name]: value })}
            />
          )
        })}
        <div className="flex justify-end gap-2 pt-1">
          <Button onClick={onClose}>{ui.cancel}</Button>
          <Button type="submit" kind={danger ? 'danger' : 'primary'} busy={command.isPending}>
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

function Receipt({ made }: { made: Made }) {
  const t = useMessages(commandMessages)
  const format = useFormat()
  return (
    <div className="space-y-3" data-testid="made" data-position={made.position}>
      <Notice tone="good">{t.made(format.number(made.position))}</Notice>
      <Facts
        rows={[
          [t.event, <EventLink key="event" position={made.position} />],
          made.id === undefined ? null : [t.id, <Copyable key="id" text={made.id} />],
        ]}
      />
      {made.replayed === true && <p className="text-muted">{t.before}</p>}
    </div>
  )
}

type FieldProps = { field: FieldSpec; first: boolean; typed: Typed; error: string | null; onChange: (value: string) => void }

function Field({ field, first, typed, error, onChange }: FieldProps) {
  const { name, label, kind, hint, optional, placeholder, options = [] } = field
  const value = typed[name] ?? ''
  const shell = {
    label,
    error,
    ...(hint !== undefined && { hint }),
    ...(optional !== undefined && { optional }),
  }
  const common = {
    name,
    value,
    autoFocus: first,
    ...(placeholder !== undefined && { placeholder }),
    onChange: (event: { target: { value: string } }) => onChange(event.target.value),
  }
  switch (kind) {
    case 'money':
    case 'fee':
    case 'change':
      return <MoneyField {...shell} {...common} />
    case 'area':
      return <TextArea {...shell} {...common} maxLength={1_000} />
    case 'select':
      return <SelectField {...shell} value={value} options={options} onChange={onChange} />
    case 'date':
      return <TextField {...shell} {...common} type="date" />
    case 'secret':
      return <TextField {...shell} {...common} type="password" autoComplete="off" spellCheck={false} />
    case 'count':
      return <TextField {...shell} {...common} inputMode="numeric" autoComplete="off" />
    case 'ratio':
      return <TextField {...shell} {...common} inputMode="decimal" autoComplete="off" />
    case 'text':
      return <TextField {...shell} {...common} autoComplete="off" />
  }
}
