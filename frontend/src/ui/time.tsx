import { useFormat } from '@/lib/format'
import { useNow } from '@/lib/now'

/** A moment in the reader's time zone; UTC stands in the title. */
export function Time({ at, relative = false, className }: { at: string; relative?: boolean; className?: string }) {
  const format = useFormat()
  const now = useNow(30_000)
  const exact = `${format.dateTime(at)} · ${at}`
  return (
    <time dateTime={at} title={exact} className={`nums whitespace-nowrap ${className ?? ''}`}>
      {relative ? format.ago(Date.parse(at), now) : format.dateTime(at)}
    </time>
  )
}
