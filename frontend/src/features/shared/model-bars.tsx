import { type Money as Amount, largest, share } from '@/lib/money'
import { DOTS } from '@/ui/chart'
import { Money } from '@/ui/money'

type Bar = { name: string; charge: Amount; note: string }

/** What each model cost, as bars with their figures. */
export function ModelBars({ bars }: { bars: readonly Bar[] }) {
  const top = largest(bars.map((bar) => bar.charge))
  return (
    <ul className="space-y-3">
      {bars.map((bar, index) => (
        <li key={bar.name}>
          <div className="flex items-baseline gap-3">
            <span className="min-w-0 flex-1 truncate" title={bar.name}>
              {bar.name}
            </span>
            <Money value={bar.charge} decimals={6} className="font-medium" />
          </div>
          <div className="mt-1 flex items-center gap-3">
            <div className="h-1.5 flex-1 overflow-hidden rounded-full bg-sunken">
              <div className={`h-full rounded-full ${DOTS[Math.min(index, DOTS.length - 1)]}`} style={{ width: `${share(bar.charge, top) * 100}%` }} />
            </div>
            <span className="nums w-24 text-right text-xs text-muted">{bar.note}</span>
          </div>
        </li>
      ))}
    </ul>
  )
}
