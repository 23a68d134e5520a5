import { type ComponentProps, type ReactNode, useId, useState } from 'react'
import { useMessages } from '@/lib/i18n'
import { IconButton } from './button'
import { classes } from './classes'
import { Icon } from './icon'
import { uiMessages } from './messages'

const BOX =
  'w-full rounded-md border max-sm:text-base border-edge bg-surface px-3 text-ink placeholder:text-faint ' +
  'hover:border-faint focus-visible:border-accent focus-visible:outline-1 focus-visible:outline-offset-0 ' +
  'disabled:bg-sunken disabled:text-muted aria-invalid:border-bad'

/** Letters below 16 px would make a phone zoom into the field. */
const HEIGHT = 'h-9 max-sm:h-10'

/** Puts the reader to the first field that is wrong, once the form has been drawn with what is wrong. */
export function goToWrong(form: HTMLFormElement): void {
  requestAnimationFrame(() => form.querySelector<HTMLElement>('[aria-invalid=true]')?.focus())
}

type Shell = { label: string; hint?: ReactNode; error?: string | null | undefined; optional?: boolean; className?: string }

type Wiring = { id: string; 'aria-describedby'?: string; 'aria-invalid'?: true }

/** Label, control, hint and error, tied together for readers of the screen. */
function Frame({ label, hint, error, optional = false, className, children }: Shell & { children: (wiring: Wiring) => ReactNode }) {
  const id = useId()
  const t = useMessages(uiMessages)
  const about = `${id}-about`
  const wrong = error !== undefined && error !== null && error !== ''
  const told = wrong || hint !== undefined
  return (
    <div className={className}>
      <label htmlFor={id} className="mb-1.5 block text-[0.8125rem] font-medium">
        {label}
        {optional && <span className="ml-1.5 font-normal text-faint">{t.optional}</span>}
      </label>
      {children({ id, ...(told && { 'aria-describedby': about }), ...(wrong && { 'aria-invalid': true }) })}
      {told && (
        <p id={about} className={classes('mt-1.5 text-[0.8125rem]', wrong ? 'text-bad' : 'text-muted')}>
          {wrong ? error : hint}
        </p>
      )}
    </div>
  )
}

type InputProps = Omit<ComponentProps<'input'>, 'className'>

export function TextField({ label, hint, error, optional, className, ...input }: Shell & InputProps) {
  return (
    <Frame {...shell({ label, hint, error, optional, className })}>
      {(wiring) => <input {...wiring} {...input} className={classes(BOX, HEIGHT)} />}
    </Frame>
  )
}

/** An amount in dollars: text, because a number would lose it. */
export function MoneyField({ label, hint, error, optional, className, ...input }: Shell & InputProps) {
  return (
    <Frame {...shell({ label, hint, error, optional, className })}>
      {(wiring) => (
        <div className="relative">
          <span className="pointer-events-none absolute inset-y-0 left-3 flex items-center text-muted" aria-hidden="true">
            $
          </span>
          <input {...wiring} inputMode="decimal" autoComplete="off" {...input} className={classes(BOX, HEIGHT, 'nums pl-7')} />
        </div>
      )}
    </Frame>
  )
}

export function PasswordField({ label, hint, error, className, ...input }: Shell & InputProps) {
  const [shown, setShown] = useState(false)
  const t = useMessages(uiMessages)
  return (
    <Frame {...shell({ label, hint, error, className })}>
      {(wiring) => (
        <div className="relative">
          <input {...wiring} {...input} type={shown ? 'text' : 'password'} className={classes(BOX, HEIGHT, 'pr-10')} />
          <IconButton
            icon={shown ? 'eyeOff' : 'eye'}
            label={shown ? t.hidePassword : t.showPassword}
            aria-pressed={shown}
            className="absolute top-0.5 right-0.5"
            onClick={() => setShown(!shown)}
          />
        </div>
      )}
    </Frame>
  )
}

export type Option<Value extends string> = { value: Value; label: string }

type SelectProps<Value extends string> = Shell & {
  value: Value
  options: ReadonlyArray<Option<Value>>
  onChange: (value: Value) => void
  disabled?: boolean
}

export function SelectField<Value extends string>({ label, hint, error, optional, className, ...rest }: SelectProps<Value>) {
  return <Frame {...shell({ label, hint, error, optional, className })}>{(wiring) => <Select {...rest} {...wiring} />}</Frame>
}

type BareSelect<Value extends string> = Pick<SelectProps<Value>, 'value' | 'options' | 'onChange' | 'disabled'> & {
  'aria-label'?: string
  id?: string
}

/** The browser's own list: the one that works with every keyboard, screen reader and thumb. */
export function Select<Value extends string>({ value, options, onChange, ...rest }: BareSelect<Value>) {
  return (
    <span className="relative block">
      <select
        {...rest}
        value={value}
        onChange={(event) => {
          const chosen = options.find((option) => option.value === event.target.value)
          if (chosen !== undefined) onChange(chosen.value)
        }}
        className={classes(BOX, HEIGHT, 'appearance-none truncate pr-8')}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
      <Icon name="down" className="pointer-events-none absolute inset-y-0 right-2.5 my-auto size-4 text-muted" />
    </span>
  )
}

export function TextArea({ label, hint, error, optional, className, ...area }: Shell & Omit<ComponentProps<'textarea'>, 'className'>) {
  return (
    <Frame {...shell({ label, hint, error, optional, className })}>
      {(wiring) => <textarea {...wiring} {...area} className={classes(BOX, 'min-h-20 py-2')} />}
    </Frame>
  )
}

/** Leaves out what is undefined: an absent member and an undefined one are two things to TypeScript. */
function shell({ label, hint, error, optional, className }: { [Name in keyof Shell]: Shell[Name] | undefined } & { label: string }): Shell {
  return {
    label,
    error,
    ...(hint !== undefined && { hint }),
    ...(optional !== undefined && { optional }),
    ...(className !== undefined && { className }),
  }
}
