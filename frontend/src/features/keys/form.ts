import { type Day, addDays, dayOf, isDay } from '@/lib/days'
import { type Money, isNegative, isZero, parseMoney } from '@/lib/money'
import type { ApiKey, KeyBody } from '../shared/keys'

export type Period = KeyBody['period'] & string
export type Expiry = 'never' | 'hour' | 'day' | 'week' | 'month' | 'quarter' | 'date' | 'keep'

/** What the form holds: what was typed, not what it means. */
export type KeyForm = {
  name: string
  limit: string
  period: Period
  expiry: Expiry
  date: Day
  models: string
  addresses: string
  rpm: string
  tpm: string
  concurrent: string
}

export type Wrong = 'nameNeeded' | 'badAmount' | 'badCount' | 'badDate'
export type Errors = Partial<Record<keyof KeyForm, Wrong>>

export const emptyForm = (): KeyForm => ({
  name: '',
  limit: '',
  period: 'month',
  expiry: 'never',
  date: addDays(dayOf(Date.now()), 30),
  models: '',
  addresses: '',
  rpm: '',
  tpm: '',
  concurrent: '',
})

export const formOf = (key: ApiKey): KeyForm => ({
  name: key.name,
  limit: key.limit_usd ?? '',
  period: key.period,
  expiry: key.expires_at == null ? 'never' : 'keep',
  date: addDays(dayOf(Date.now()), 30),
  models: (key.allowed_models ?? []).join(', '),
  addresses: (key.allowed_ips ?? []).join(', '),
  rpm: String(key.requests_per_minute ?? ''),
  tpm: String(key.tokens_per_minute ?? ''),
  concurrent: String(key.concurrent_requests ?? ''),
})

const HOUR_MS = 3_600_000
const LENGTHS = { hour: HOUR_MS, day: 24 * HOUR_MS, week: 7 * 24 * HOUR_MS, month: 30 * 24 * HOUR_MS, quarter: 90 * 24 * HOUR_MS }

function count(typed: string): number | null | 'wrong' {
  if (typed.trim() === '') return null
  return /^[1-9]\d{0,11}$/.test(typed.trim()) ? Number(typed) : 'wrong'
}

function list(typed: string): string[] | null {
  const entries = typed.split(/[\s,;]+/).filter((entry) => entry !== '')
  return entries.length === 0 ? null : entries
}

function amount(typed: string): Money | null | 'wrong' {
  if (typed.trim() === '') return null
  const parsed = parseMoney(typed)
  return parsed === null || isNegative(parsed) || isZero(parsed) ? 'wrong' : parsed
}

function expiry(form: KeyForm, now: number): string | null | undefined | 'wrong' {
  if (form.expiry === 'keep') return undefined
  if (form.expiry === 'never') return null
  if (form.expiry !== 'date') return new Date(now + LENGTHS[form.expiry]).toISOString()
  const end = Date.parse(`${form.date}T23:59:59Z`)
  return isDay(form.date) && end > now ? new Date(end).toISOString() : 'wrong'
}

/** What the form means, or what is wrong with it. */
export function read(form: KeyForm, now: number): { body: KeyBody; errors?: never } | { errors: Errors } {
  const [limit, expires] = [amount(form.limit), expiry(form, now)]
  const [rpm, tpm, concurrent] = [count(form.rpm), count(form.tpm), count(form.concurrent)]
  const name = form.name.trim()
  if (name === '' || limit === 'wrong' || expires === 'wrong' || rpm === 'wrong' || tpm === 'wrong' || concurrent === 'wrong') {
    const errors: Errors = {}
    if (name === '') errors.name = 'nameNeeded'
    if (limit === 'wrong') errors.limit = 'badAmount'
    if (expires === 'wrong') errors.date = 'badDate'
    if (rpm === 'wrong') errors.rpm = 'badCount'
    if (tpm === 'wrong') errors.tpm = 'badCount'
    if (concurrent === 'wrong') errors.concurrent = 'badCount'
    return { errors }
  }
  return {
    body: {
      name,
      limit_usd: limit,
      ...(limit !== null && { period: form.period }),
      ...(expires !== undefined && { expires_at: expires }),
      allowed_models: list(form.models),
      allowed_ips: list(form.addresses),
      requests_per_minute: rpm,
      tokens_per_minute: tpm,
      concurrent_requests: concurrent,
    },
  }
}
