/** Decimal texts, multiplied exactly: a ratio makes a sale price of a list price. */

type Whole = { digits: bigint; places: number }

function whole(text: string): Whole | null {
  const match = /^(\d+)(?:\.(\d+))?$/.exec(text)
  if (match === null) return null
  const [, before = '0', after = ''] = match
  return { digits: BigInt(before + after), places: after.length }
}

/** Null where one of them is no decimal. */
export function product(left: string, right: string): string | null {
  const [a, b] = [whole(left), whole(right)]
  if (a === null || b === null) return null
  const places = a.places + b.places
  const digits = (a.digits * b.digits).toString().padStart(places + 1, '0')
  const fraction = digits.slice(digits.length - places).replace(/0+$/, '')
  return `${digits.slice(0, digits.length - places)}${places === 0 || fraction === '' ? '' : `.${fraction}`}`
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
