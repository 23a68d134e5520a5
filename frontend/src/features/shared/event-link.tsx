import { Link } from '@tanstack/react-router'
import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { eventWords } from './event-words'

/** The position of an event, leading to it. */
export function EventLink({ position }: { position: number }) {
  const t = useMessages(eventWords)
  const number = useFormat().number(position)
  return (
    <Link
      to="/ledger/events/$position"
      params={{ position: String(position) }}
      aria-label={t.event(number)}
      className="nums text-accent-strong underline decoration-edge underline-offset-2 hover:decoration-accent"
      onClick={(event) => event.stopPropagation()}
    >
      {number}
    </Link>
  )
}
