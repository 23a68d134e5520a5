/** Moves the point of a decimal text, exactly; null for what is no plain decimal above or equal to zero. */
export function shifted(text: string, places: number): string | null {
  const match = /^(\d+)(?:\.(\d+))?(?:e([+-]?\d{1,3}))?$/i.exec(text)
  if (match === null) return null
  const [, whole = '0', fraction = '', exponent = '0'] = match
  const digits = `${whole}${fraction}`
  const point = whole.length + Number(exponent) + places
  const at = Math.max(point, 1)
  const padded = point < 1 ? digits.padStart(digits.length + 1 - point, '0') : digits.padEnd(at, '0')
  const before = padded.slice(0, at).replace(/^0+(?=\d)/, '')
  const after = padded.slice(at).replace(/0+$/, '')
  return after === '' ? before : `${before}.${after}`
}

/** A price per token as a price per million tokens; null for what is no price. */
export function perMillion(price: string): string | null {
  return shifted(price, 6)
}

/** Without an exponent. */
export function plain(text: string): string | null {
  return shifted(text, 0)
}

/** Orders decimal texts of at least zero by their size. */
export function compareDecimals(a: string, b: string): number {
  const [wholeA = '', fractionA = ''] = a.split('.')
  const [wholeB = '', fractionB = ''] = b.split('.')
  if (wholeA.length !== wholeB.length) return wholeA.length - wholeB.length
  if (wholeA !== wholeB) return wholeA < wholeB ? -1 : 1
  const length = Math.max(fractionA.length, fractionB.length)
  const [left, right] = [fractionA.padEnd(length, '0'), fractionB.padEnd(length, '0')]
  if (left === right) return 0
  return left < right ? -1 : 1
}
