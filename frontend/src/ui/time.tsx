import { useFormat } from '@/lib/format'
import { useNow } from '@/lib/now'

type Props = {
  at: string
  /** "3 minutes ago" */
  relative?: boolean
  /** Without the year. */
  short?: boolean
  className?: string
}

/** A moment in the reader's time zone; UTC stands in the title. */
export function Time({ at, relative = false, short = false, className }: Props) {
  const format = useFormat()
  const now = useNow(30_000)
  const shown = short ? format.moment(at) : format.dateTime(at)
  const exact = `${format.dateTime(at)} · ${at}`
  return (
    <time dateTime={at} title={exact} className={`nums whitespace-nowrap ${className ?? ''}`}>
      {relative ? format.ago(Date.parse(at), now) : shown}
    </time>
  )
}
