import type { ReactNode } from 'react'
import { classes } from './classes'

/** A sheet on the canvas. */
export function Card({ title, actions, children, className, flush = false }: {
  title?: ReactNode
  actions?: ReactNode
  children: ReactNode
  className?: string
  /** Without padding: for tables, which have their own. */
  flush?: boolean
}) {
  return (
    <section className={classes('min-w-0 rounded-xl border border-line bg-surface shadow-raised', className)}>
      {title !== undefined && (
        <header className="flex min-h-12 flex-wrap items-center gap-x-3 gap-y-1 px-4 pt-3 pb-2 sm:px-5">
          <h2 className="flex-1 text-[0.9375rem] font-semibold">{title}</h2>
          {actions}
        </header>
      )}
      <div className={flush ? '' : classes('px-4 pb-4 sm:px-5 sm:pb-5', title === undefined && 'pt-4 sm:pt-5')}>{children}</div>
    </section>
  )
}

/** One figure with its name. */
export function Figure({ label, children, note }: { label: string; children: ReactNode; note?: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-[0.8125rem] text-muted">{label}</dt>
      <dd className="mt-1 text-lg font-semibold sm:text-xl tracking-tight wrap-anywhere">{children}</dd>
      {note !== undefined && <dd className="mt-0.5 text-[0.8125rem] text-muted">{note}</dd>}
    </div>
  )
}

/** Names and values, one under another. */
export function Facts({ rows }: { rows: ReadonlyArray<readonly [label: string, value: ReactNode] | null> }) {
  return (
    <dl>
      {rows.map(
        (row) =>
          row !== null && (
            <div key={row[0]} className="grid gap-x-4 gap-y-0.5 border-b border-line py-2 last:border-0 sm:grid-cols-[minmax(10rem,35%)_1fr]">
              <dt className="text-muted">{row[0]}</dt>
              <dd className="min-w-0 break-words">{row[1]}</dd>
            </div>
          ),
      )}
    </dl>
  )
}

const TONES = {
  plain: 'bg-sunken text-muted',
  accent: 'bg-accent-soft text-accent-strong',
  good: 'bg-good-soft text-good',
  warn: 'bg-warn-soft text-warn',
  bad: 'bg-bad-soft text-bad',
}

export type Tone = keyof typeof TONES

/** A state in a word. */
export function Badge({ tone = 'plain', children }: { tone?: Tone; children: ReactNode }) {
  return (
    <span className={classes('inline-flex h-5 items-center rounded px-1.5 text-xs font-medium whitespace-nowrap', TONES[tone])}>
      {children}
    </span>
  )
}

/** Something that the reader should know before going on. */
export function Notice({ tone, children, actions }: { tone: Exclude<Tone, 'plain'>; children: ReactNode; actions?: ReactNode }) {
  return (
    <div className={classes('flex flex-wrap items-center gap-3 rounded-lg px-4 py-3', TONES[tone])} role="status">
      <div className="min-w-0 flex-1">{children}</div>
      {actions}
    </div>
  )
}
