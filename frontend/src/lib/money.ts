/**
 * US dollars as the gateway writes them: a decimal string with at most 12 decimals. It never becomes a JavaScript
 * number, which could not hold it; sums and comparisons are made in whole pico-dollars.
 */
export type Money = `${number}` & { readonly [brand]: true }

declare const brand: unique symbol

const DECIMALS = 12
const SCALE = 10n ** 12n
/** The gateway takes no larger amount. */
const MOST = 10n ** 12n * SCALE
const SHAPE = /^-?\d+(\.\d{1,12})?$/

/** Whether a text is an amount as the gateway writes it. */
export function isMoney(text: string): text is Money {
  return SHAPE.test(text)
}

/** An amount that is known to be one. */
export function money(text: string): Money {
  if (!isMoney(text)) throw new RangeError('not an amount of money')
  return text
}

export const ZERO = money('0')

/** What somebody typed, with a comma or a point; null where it is no amount. */
export function parseMoney(typed: string): Money | null {
  const text = typed.replaceAll(/[\s\u00a0\u202f$_]/g, '').replace(',', '.')
  if (!isMoney(text)) return null
  const pico = toPico(text)
  return pico > MOST || pico < -MOST ? null : fromPico(pico)
}

export function toPico(amount: Money): bigint {
  const negative = amount.startsWith('-')
  const [whole = '0', fraction = ''] = amount.replace('-', '').split('.')
  const pico = BigInt(whole) * SCALE + BigInt(fraction.padEnd(DECIMALS, '0'))
  return negative ? -pico : pico
}

export function fromPico(pico: bigint): Money {
  const size = pico < 0n ? -pico : pico
  const fraction = (size % SCALE).toString().padStart(DECIMALS, '0').replace(/0+$/, '')
  const text = `${size / SCALE}${fraction === '' ? '' : `.${fraction}`}`
  return money(pico < 0n ? `-${text}` : text)
}

export function sum(amounts: Iterable<Money>): Money {
  let total = 0n
  for (const amount of amounts) total += toPico(amount)
  return fromPico(total)
}

export function compare(a: Money, b: Money): -1 | 0 | 1 {
  const [left, right] = [toPico(a), toPico(b)]
  if (left === right) return 0
  return left < right ? -1 : 1
}

export function negate(amount: Money): Money {
  return fromPico(-toPico(amount))
}

export function isZero(amount: Money): boolean {
  return toPico(amount) === 0n
}

export function isNegative(amount: Money): boolean {
  return toPico(amount) < 0n
}

/** Rounded half to even, as the books round, to fewer decimals. */
export function rounded(amount: Money, decimals: number): Money {
  const unit = 10n ** BigInt(DECIMALS - decimals)
  const pico = toPico(amount)
  const size = pico < 0n ? -pico : pico
  let whole = size / unit
  const rest = (size % unit) * 2n
  if (rest > unit || (rest === unit && whole % 2n === 1n)) whole += 1n
  return fromPico((pico < 0n ? -whole : whole) * unit)
}

/** Rounded towards less, for what may be spent: nobody should read a cent that is not there. */
export function floored(amount: Money, decimals: number): Money {
  const unit = 10n ** BigInt(DECIMALS - decimals)
  const pico = toPico(amount)
  const rest = ((pico % unit) + unit) % unit
  return fromPico(pico - rest)
}

/** The first digits of amounts that are easily halved. */
const ROUND = [10n, 12n, 16n, 20n, 24n, 30n, 40n, 50n, 60n, 80n]

/** The next round amount above. */
export function ceiling(amount: Money): Money {
  const pico = toPico(amount)
  if (pico <= 0n) return ZERO
  const unit = 10n ** BigInt(pico.toString().length - 1)
  const tenths = ROUND.find((steps) => steps * unit >= pico * 10n) ?? 100n
  return fromPico((tenths * unit) / 10n)
}

export function half(amount: Money): Money {
  return fromPico(toPico(amount) / 2n)
}

/** How many decimals the longest of some amounts has, and two at least: so many places align their points. */
export function placesOf(amounts: Iterable<Money>): number {
  let most = 2
  for (const amount of amounts) most = Math.max(most, amount.split('.')[1]?.length ?? 0)
  return most
}

/** So many decimals as tell something: dollars by the hundred need no millionths beside them. */
export function telling(amount: Money, decimals: number): number {
  const whole = amount.replace('-', '').split('.')[0]?.length ?? 1
  return Math.max(Math.min(decimals, 2), decimals - 2 * (whole - 1))
}

/** How large a part is of a whole, for the length of a bar: the only number that money becomes. */
export function share(part: Money, whole: Money): number {
  const of = toPico(whole)
  if (of === 0n) return 0
  return Number((toPico(part) * 1_000_000n) / of) / 1_000_000
}

export function largest(amounts: Iterable<Money>): Money {
  let top = ZERO
  for (const amount of amounts) if (compare(amount, top) > 0) top = amount
  return top
}
