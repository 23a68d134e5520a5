import type { ComponentProps } from 'react'
import { classes } from './classes'
import { Icon, type IconName } from './icon'

type Kind = 'primary' | 'plain' | 'quiet' | 'danger'

const KINDS: Record<Kind, string> = {
  primary: 'bg-accent text-on-accent hover:bg-accent-strong border-transparent',
  plain: 'bg-surface text-ink border-edge hover:bg-sunken',
  quiet: 'text-muted border-transparent hover:bg-sunken hover:text-ink',
  danger: 'bg-bad-solid text-white border-transparent hover:brightness-90',
}

/** How a button looks, for links that are one. */
export function buttonClass(kind: Kind = 'plain', small = false): string {
  return classes(
    'inline-flex items-center justify-center gap-1.5 rounded-md border font-medium whitespace-nowrap transition-colors',
    'disabled:pointer-events-none disabled:opacity-50',
    small ? 'h-8 px-2.5 text-[0.8125rem] max-sm:h-9' : 'h-9 px-3.5 max-sm:h-10',
    KINDS[kind],
  )
}

type Props = ComponentProps<'button'> & { kind?: Kind; small?: boolean; busy?: boolean; icon?: IconName }

export function Button({ kind = 'plain', small = false, busy = false, icon, className, children, ...rest }: Props) {
  return (
    <button
      type="button"
      {...rest}
      disabled={rest.disabled === true || busy}
      aria-busy={busy}
      className={classes(buttonClass(kind, small), className)}
    >
      {busy ? <Spinner /> : icon !== undefined && <Icon name={icon} className="-ml-0.5 size-4" />}
      {children}
    </button>
  )
}

/** A button that is only an icon: its label is read aloud and shown on hovering. */
export function IconButton({ icon, label, className, ...rest }: ComponentProps<'button'> & { icon: IconName; label: string }) {
  return (
    <button
      type="button"
      {...rest}
      aria-label={label}
      title={label}
      className={classes(
        'inline-flex size-8 max-sm:size-9 items-center justify-center rounded-md text-muted transition-colors hover:bg-sunken hover:text-ink',
        'disabled:pointer-events-none disabled:opacity-50',
        className,
      )}
    >
      <Icon name={icon} className="size-[1.125rem]" />
    </button>
  )
}

export function Spinner() {
  return (
    <svg viewBox="0 0 16 16" className="size-4 animate-spin" fill="none" aria-hidden="true">
      <circle cx="8" cy="8" r="6" stroke="currentColor" strokeWidth="2" opacity="0.25" />
      <path d="M14 8a6 6 0 0 0-6-6" stroke="currentColor" strokeWidth="2" strokeLinecap="round" />
    </svg>
  )
}
