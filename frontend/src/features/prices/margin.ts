/** Decimal texts, divided exactly: what a list price was before a ratio made a sale price of it. */

type Whole = { digits: bigint; places: number }

function whole(text: string): Whole | null {
  const match = /^(\d+)(?:\.(\d+))?$/.exec(text)
  if (match === null) return null
  const [, before = '0', after = ''] = match
  return { digits: BigInt(before + after), places: after.length }
}

const PLACES = 24

/** Null where the quotient has no end, or is none. */
export function quotient(dividend: string, divisor: string): string | null {
  const [above, below] = [whole(dividend), whole(divisor)]
  if (above === null || below === null || below.digits === 0n) return null
  const numerator = above.digits * 10n ** BigInt(below.places + PLACES)
  const denominator = below.digits * 10n ** BigInt(above.places)
  if (numerator % denominator !== 0n) return null
  const digits = (numerator / denominator).toString().padStart(PLACES + 1, '0')
  const fraction = digits.slice(-PLACES).replace(/0+$/, '')
  return `${digits.slice(0, -PLACES)}${fraction === '' ? '' : `.${fraction}`}`
}

/** What of the sale price is left after the cost, as a part of it: `1 − cost rate ÷ sale ratio`. Not an amount, so a number will do. */
export function marginPart(ratio: string, costRate: string): number | null {
  const [sale, cost] = [Number(ratio), Number(costRate)]
  return Number.isFinite(sale) && Number.isFinite(cost) && sale > 0 ? 1 - cost / sale : null
}

/** The rate of the dearest account that serves: no request costs more. */
export function dearest(masters: ReadonlyArray<{ status?: string | null; cost_rate?: string | null }>): string | null {
  const rates = masters.flatMap(({ status, cost_rate: rate }) => (status === 'disabled' || rate == null ? [] : [rate]))
  return rates.toSorted((a, b) => Number(b) - Number(a))[0] ?? null
}
