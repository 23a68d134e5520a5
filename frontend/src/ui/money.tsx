import { useFormat } from '@/lib/format'
import { type Money as Amount, floored, telling } from '@/lib/money'
import { classes } from './classes'

type Props = {
  value: Amount
  /** At most so many; large amounts have fewer. Without it every digit is shown. */
  decimals?: number
  /** Room for so many decimals, so that the points of a column stand one under another. */
  places?: number
  className?: string
  signed?: boolean
  /** Rounded towards less: what may be spent. */
  down?: boolean
}

/**
 * An amount of dollars. What follows the cents is printed lighter, so that the eye finds the dollars and the hand can
 * still copy every digit; where it is rounded, the exact amount stands in the title.
 */
export function Money({ value, decimals: most, places = 0, className, signed = false, down = false }: Props) {
  const format = useFormat()
  const decimals = most === undefined ? undefined : telling(value, most)
  const { lead, tail, end } = format.moneyParts(down && decimals !== undefined ? floored(value, decimals) : value, decimals)
  const plus = signed && !value.startsWith('-') ? '+' : ''
  return (
    <span className={classes('nums whitespace-nowrap', className)} title={format.money(value)}>
      {plus}
      {lead}
      {tail !== '' && <span className="font-normal text-faint">{tail}</span>}
      {end}
      {tail.length + 2 < places && (
        <span aria-hidden="true" className="invisible select-none">
          {'0'.repeat(places - 2 - tail.length)}
        </span>
      )}
    </span>
  )
}
