import { type Money, isNegative, isZero, money, parseMoney } from '@/lib/money'

export type Kind = 'text' | 'area' | 'secret' | 'money' | 'change' | 'fee' | 'ratio' | 'count' | 'date' | 'select'

/** One field of a command: what it is called, and what may stand in it. */
export type FieldSpec = {
  name: string
  label: string
  kind: Kind
  hint?: string
  optional?: boolean
  initial?: string
  placeholder?: string
  options?: ReadonlyArray<{ value: string; label: string }>
}

export type Wrong = 'needed' | 'badAmount' | 'badChange' | 'badRatio' | 'badCount'
export type Typed = Readonly<Record<string, string>>

/** What was typed and holds; texts are trimmed, amounts are amounts. */
export type Values = {
  text: (name: string) => string
  /** Null where nothing was typed. */
  maybe: (name: string) => string | null
  money: (name: string) => Money
  maybeMoney: (name: string) => Money | null
  maybeCount: (name: string) => number | null
}

function check(kind: Kind, text: string): Wrong | null {
  switch (kind) {
    case 'money':
    case 'fee': {
      const amount = parseMoney(text)
      return amount === null || isNegative(amount) || (kind === 'money' && isZero(amount)) ? 'badAmount' : null
    }
    case 'change': {
      const amount = parseMoney(text)
      return amount === null || isZero(amount) ? 'badChange' : null
    }
    case 'ratio':
      return /^\d{1,3}([.,]\d{1,12})?$/.test(text) && /[1-9]/.test(text) ? null : 'badRatio'
    case 'count':
      return /^[1-9]\d{0,8}$/.test(text) ? null : 'badCount'
    case 'text':
    case 'area':
    case 'secret':
    case 'date':
    case 'select':
      return null
  }
}

function normal(kind: Kind, text: string): string {
  if (kind === 'money' || kind === 'fee' || kind === 'change') return parseMoney(text) ?? text
  return kind === 'ratio' ? text.replace(',', '.') : text
}

export function initialOf(fields: readonly FieldSpec[]): Typed {
  return Object.fromEntries(fields.map(({ name, initial = '' }) => [name, initial]))
}

type Result = { errors: Readonly<Record<string, Wrong>>; values?: never } | { errors?: never; values: Values }

/** Reads a form: its values, or what is wrong with which field. */
export function read(fields: readonly FieldSpec[], typed: Typed): Result {
  const errors: Record<string, Wrong> = {}
  const values = new Map<string, string>()
  for (const { name, kind, optional = false } of fields) {
    const text = (typed[name] ?? '').trim()
    const wrong = text === '' ? (optional ? null : 'needed') : check(kind, text)
    if (wrong !== null) errors[name] = wrong
    else values.set(name, normal(kind, text))
  }
  if (Object.keys(errors).length > 0) return { errors }
  const maybe = (name: string) => {
    const text = values.get(name) ?? ''
    return text === '' ? null : text
  }
  return {
    values: {
      text: (name) => values.get(name) ?? '',
      maybe,
      money: (name) => money(values.get(name) ?? '0'),
      maybeMoney: (name) => (maybe(name) === null ? null : money(values.get(name) ?? '0')),
      maybeCount: (name) => (maybe(name) === null ? null : Number(maybe(name))),
    },
  }
}
