import { useFormat } from '@/lib/format'
import { type Money as Amount, floored } from '@/lib/money'
import { classes } from './classes'

type Props = {
  value: Amount
  decimals?: number
  className?: string
  signed?: boolean
  /** Rounded towards less: what may be spent. */
  down?: boolean
}

/**
 * An amount of dollars. What follows the cents is printed lighter, so that the eye finds the dollars and the hand can
 * still copy every digit; where it is rounded, the exact amount stands in the title.
 */
export function Money({ value, decimals, className, signed = false, down = false }: Props) {
  const format = useFormat()
  const { lead, tail, end } = format.moneyParts(down && decimals !== undefined ? floored(value, decimals) : value, decimals)
  const plus = signed && !value.startsWith('-') ? '+' : ''
  return (
    <span className={classes('nums whitespace-nowrap', className)} title={format.money(value)}>
      {plus}
      {lead}
      {tail !== '' && <span className="font-normal text-faint">{tail}</span>}
      {end}
    </span>
  )
}
