import { useMessages } from '@/lib/i18n'
import { Badge, type Tone } from '@/ui/card'
import { requestWords } from './request-words'

const TONES = { settled: 'good', released: 'plain', expired: 'plain', corrected: 'accent', billed_late: 'accent' } satisfies Record<string, Tone>

function isKnown(state: string): state is keyof typeof TONES {
  return state in TONES
}

/** What became of a request's money. */
export function RequestState({ state }: { state: string }) {
  const t = useMessages(requestWords)
  return isKnown(state) ? <Badge tone={TONES[state]}>{t.states[state]}</Badge> : <Badge>{state}</Badge>
}
