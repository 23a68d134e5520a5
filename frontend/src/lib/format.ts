import { type Language, useLanguage } from './i18n'
import { type Money, rounded } from './money'

/** How numbers and times are written for one reader. */
export type Format = {
  language: Language
  number: (value: number) => string
  compact: (value: number) => string
  percent: (ratio: number, decimals?: number) => string
  /** All decimals of an amount; with `decimals`, rounded to so many. */
  money: (value: Money, decimals?: number) => string
  /** The same in pieces, so that the digits after the cents can be printed lighter. */
  moneyParts: (value: Money, decimals?: number) => { lead: string; tail: string; end: string }
  /** A decimal text in dollars that is no amount of the books, such as a price per million tokens. */
  price: (value: string) => string
  date: (value: string) => string
  day: (value: string) => string
  month: (value: string) => string
  dateTime: (value: string) => string
  /** Day and time without the year. */
  moment: (value: string) => string
  time: (value: string) => string
  /** A decimal text that is no money, such as a ratio. */
  decimal: (value: string) => string
  /** "3 minutes ago" */
  ago: (milliseconds: number, now: number) => string
  bytes: (value: number) => string
  duration: (milliseconds: number) => string
}

const LOCALES: Record<Language, string> = { en: 'en-US', ru: 'ru-RU' }

const UNITS: ReadonlyArray<readonly [Intl.RelativeTimeFormatUnit, number]> = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
]

function isNumeric(text: string): text is `${number}` {
  return /^-?\d+(\.\d+)?$/.test(text)
}

export function format(language: Language): Format {
  const locale = LOCALES[language]
  const number = new Intl.NumberFormat(locale)
  const compact = new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 })
  const dollars = (most: number) =>
    new Intl.NumberFormat(locale, {
      style: 'currency',
      currency: 'USD',
      currencyDisplay: 'narrowSymbol',
      minimumFractionDigits: 2,
      maximumFractionDigits: Math.max(2, most),
    })
  // Prices have more decimals than amounts.
  const exact = dollars(20)
  const decimals = new Intl.NumberFormat(locale, { maximumFractionDigits: 20 })
  const moneyFor = (value: Money, decimals?: number) =>
    decimals === undefined ? exact.formatToParts(value) : dollars(decimals).formatToParts(rounded(value, decimals))
  const moment = (options: Intl.DateTimeFormatOptions) => {
    const formatter = new Intl.DateTimeFormat(locale, options)
    return (value: string) => formatter.format(new Date(value))
  }
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })
  const unit = (name: string) => new Intl.NumberFormat(locale, { style: 'unit', unit: name, maximumFractionDigits: 1 })
  const [milliseconds, seconds, minutes] = [unit('millisecond'), unit('second'), unit('minute')]
  const kilobytes = unit('kilobyte')
  return {
    language,
    number: (value) => number.format(value),
    compact: (value) => (value < 10_000 ? number.format(value) : compact.format(value)),
    percent: (ratio, decimals = 0) =>
      new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: decimals }).format(ratio),
    money: (value, decimals) =>
      moneyFor(value, decimals)
        .map((part) => part.value)
        .join(''),
    moneyParts: (value, decimals) => {
      let [lead, tail, end] = ['', '', '']
      let after = false
      for (const part of moneyFor(value, decimals)) {
        if (part.type === 'fraction') {
          lead += part.value.slice(0, 2)
          tail = part.value.slice(2)
          after = true
        } else if (after) end += part.value
        else lead += part.value
      }
      return { lead, tail, end }
    },
    price: (value) => (isNumeric(value) ? exact.format(value) : value),
    // A day without a time has no time zone: it is the books' day, which is UTC's.
    date: moment({ dateStyle: 'medium', timeZone: 'UTC' }),
    day: moment({ day: 'numeric', month: 'short', timeZone: 'UTC' }),
    month: moment({ month: 'long', year: 'numeric', timeZone: 'UTC' }),
    dateTime: moment({ dateStyle: 'medium', timeStyle: 'medium' }),
    moment: moment({ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', second: '2-digit' }),
    time: moment({ timeStyle: 'medium' }),
    decimal: (value) => (isNumeric(value) ? decimals.format(value) : value),
    ago: (then, now) => {
      const passed = Math.max(0, now - then)
      const [name, size] = UNITS.find(([, length]) => passed >= length) ?? ['second', 1_000]
      return relative.format(-Math.floor(passed / size), name)
    },
    bytes: (value) => kilobytes.format(value / 1_000),
    duration: (value) => {
      if (value < 1_000) return milliseconds.format(value)
      return value < 60_000 ? seconds.format(value / 1_000) : minutes.format(value / 60_000)
    },
  }
}

const formats: Record<Language, Format> = { en: format('en'), ru: format('ru') }

export function useFormat(): Format {
  return formats[useLanguage()]
}
