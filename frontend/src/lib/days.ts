/** Days of the books: UTC, written `2026-11-20`. */
export type Day = string

const DAY_MS = 86_400_000

export function dayOf(moment: number): Day {
  return new Date(moment).toISOString().slice(0, 10)
}

export function addDays(day: Day, days: number): Day {
  return dayOf(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS)
}

export function isDay(text: unknown): text is Day {
  return typeof text === 'string' && /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`))
}

/** All days from one to another, both included; at most 400, so that no link makes a page of a million. */
export function daysFrom(first: Day, last: Day): Day[] {
  const days: Day[] = []
  for (let day = first; day <= last && days.length < 400; day = addDays(day, 1)) days.push(day)
  return days
}

export function firstOfMonth(day: Day): Day {
  return `${day.slice(0, 7)}-01`
}

export function monthOf(day: Day): string {
  return day.slice(0, 7)
}

export function isMonth(text: string): boolean {
  return /^\d{4}-(0[1-9]|1[0-2])$/.test(text)
}

export function addMonths(month: string, months: number): string {
  const [year = '1970', number = '01'] = month.split('-')
  return new Date(Date.UTC(Number(year), Number(number) - 1 + months, 1)).toISOString().slice(0, 7)
}

/** A range of days as the gateway takes it: from the first moment until the last one is over. */
export function moments(from: Day, to: Day): { from: string; to: string } {
  return { from: `${from}T00:00:00Z`, to: `${addDays(to, 1)}T00:00:00Z` }
}
