import { useQuery } from '@tanstack/react-query'
import { useMessages } from '@/lib/i18n'
import { useNow } from '@/lib/now'
import { addDays, dayOf } from '@/lib/days'
import { DayInput } from '@/ui/day-input'
import { Select } from '@/ui/field'
import { SearchBox } from '@/ui/search-box'
import { keysQuery } from '../shared/keys'
import { requestWords } from '../shared/request-words'
import { breakdownQuery } from '../shared/usage'
import { logMessages } from './messages'
import { type RequestSearch, SPANS, STATES, type Span, spanOf, spanStart } from './search'

type Props = { search: RequestSearch; onChange: (search: RequestSearch) => void }

const ANY = ''

/** Models are offered that were used within a quarter. */
const OFFERED_DAYS = 90

export function Filters({ search, onChange }: Props) {
  const t = useMessages(logMessages)
  const words = useMessages(requestWords)
  const now = useNow(60_000)
  const keys = useQuery(keysQuery).data?.data ?? []
  const models = useQuery(breakdownQuery('model', { from: addDays(dayOf(now), -OFFERED_DAYS), to: dayOf(now) })).data?.data ?? []
  const span = spanOf(search, now)
  const named = new Set([...models.map((line) => line.model ?? ''), ...(search.model === undefined ? [] : [search.model])])
  const without = (...names: ReadonlyArray<keyof RequestSearch>): RequestSearch =>
    Object.fromEntries(Object.entries(search).filter(([name]) => !names.some((other) => other === name)))
  const pickSpan = (next: Span) => {
    const rest = without('from', 'to')
    if (next === 'all') onChange(rest)
    else if (next === 'custom') onChange({ ...rest, from: spanStart('week', now), to: dayOf(now) })
    else onChange({ ...rest, from: spanStart(next, now) })
  }
  return (
    <div className="flex flex-wrap gap-2">
      <SearchBox
        label={t.search}
        value={search.q ?? ''}
        onChange={(q) => onChange(q === '' ? without('q') : { ...search, q })}
        className="min-w-56 flex-1"
      />
      <div className="w-44 max-sm:w-[calc(50%-0.25rem)]">
        <Select
          aria-label={t.model}
          value={search.model ?? ANY}
          options={[{ value: ANY, label: t.allModels }, ...[...named].map((value) => ({ value, label: value }))]}
          onChange={(model) => onChange(model === ANY ? without('model') : { ...search, model })}
        />
      </div>
      <div className="w-36 max-sm:w-[calc(50%-0.25rem)]">
        <Select
          aria-label={t.key}
          value={search.key ?? ANY}
          options={[{ value: ANY, label: t.allKeys }, ...keys.map(({ id, name }) => ({ value: id, label: name }))]}
          onChange={(key) => onChange(key === ANY ? without('key') : { ...search, key })}
        />
      </div>
      <div className="w-40 max-sm:w-[calc(50%-0.25rem)]">
        <Select
          aria-label={t.status}
          value={search.status ?? ANY}
          options={[{ value: ANY, label: t.allStates } as const, ...STATES.map((value) => ({ value, label: words.states[value] }))]}
          onChange={(status) => onChange(status === ANY ? without('status') : { ...search, status })}
        />
      </div>
      <div className="w-40 max-sm:w-[calc(50%-0.25rem)]">
        <Select
          aria-label={t.span}
          value={span}
          options={[...SPANS, 'custom' as const].map((value) => ({ value, label: t.spans[value] }))}
          onChange={pickSpan}
        />
      </div>
      {span === 'custom' && (
        <div className="flex basis-full flex-wrap gap-2 sm:justify-end">
          <DayInput label={t.from} value={search.from} onChange={(from) => onChange({ ...without('from'), ...(from !== '' && { from }) })} />
          <DayInput label={t.to} value={search.to} onChange={(to) => onChange({ ...without('to'), ...(to !== '' && { to }) })} />
        </div>
      )}
    </div>
  )
}
