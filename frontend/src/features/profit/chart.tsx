import { useState } from 'react'
import { useMessages } from '@/lib/i18n'
import { type Money as Amount, ZERO, largest, share, sum } from '@/lib/money'
import { Lines, Scale, Ticks, barWidth, topOf } from '@/ui/axis'
import { classes } from '@/ui/classes'
import { Money } from '@/ui/money'
import { profitMessages } from './messages'
import { type Totals, totalsOf } from './search'
import type { ProfitLine } from './queries'

type Props = { label: string; ticks: readonly string[]; days: ReadonlyArray<ProfitLine | undefined> }

const HEIGHT = 200

/** Revenue beside what it cost: side by side, because a margin may be below zero and a stack could not show that. */
export function ProfitChart({ label, ticks, days }: Props) {
  const t = useMessages(profitMessages)
  const [at, setAt] = useState<number | null>(null)
  const one = at === null ? undefined : days[at]
  const shown: Totals = at === null ? totalsOf(days.filter((day) => day !== undefined)) : totalsOf(one === undefined ? [] : [one])
  const top = topOf(largest(days.flatMap((day) => (day === undefined ? [] : [day.charge_usd, sum([day.cost_usd, day.waived_usd])]))))
  const step = 100 / Math.max(1, days.length)
  const width = barWidth(step)
  const bar = (x: number, amount: Amount, below: Amount, fill: string) => {
    const [size, base] = [share(amount, top) * HEIGHT, HEIGHT - share(below, top) * HEIGHT]
    return size > 0 && <rect x={x} y={base - size} width={width * 0.47} height={size} className={fill} />
  }
  return (
    <figure>
      <figcaption className="mb-3 flex min-h-10 flex-wrap items-baseline gap-x-5 gap-y-1 text-[0.8125rem]">
        <span className="text-muted sm:mr-auto">{at === null ? t.all : ticks[at]}</span>
        <Key dot="bg-chart-1" name={t.revenue} value={shown.charge} />
        <Key dot="bg-chart-2" name={t.cost} value={shown.cost} />
        <Key dot="bg-chart-4" name={t.waived} value={shown.waived} />
        <Key name={t.margin} value={shown.margin} />
      </figcaption>
      <div className="grid grid-cols-[auto_1fr]">
        <Scale top={top} height={HEIGHT} />
        <div className="min-w-0">
          <svg
            viewBox={`0 0 100 ${HEIGHT}`}
            preserveAspectRatio="none"
            className="block w-full overflow-visible"
            style={{ height: HEIGHT }}
            role="img"
            aria-label={label}
            onMouseLeave={() => setAt(null)}
          >
            <Lines height={HEIGHT} />
            {days.map((day, index) => (
              <g key={ticks[index]} onMouseEnter={() => setAt(index)} className={classes(at !== null && at !== index && 'opacity-45')}>
                <rect x={index * step} y="0" width={step} height={HEIGHT} fill="transparent" />
                {day !== undefined && bar(index * step + (step - width) / 2, day.charge_usd, ZERO, 'fill-chart-1')}
                {day !== undefined && bar(index * step + step / 2 + width * 0.03, day.cost_usd, ZERO, 'fill-chart-2')}
                {day !== undefined && bar(index * step + step / 2 + width * 0.03, day.waived_usd, day.cost_usd, 'fill-chart-4')}
              </g>
            ))}
          </svg>
          <Ticks ticks={ticks} />
        </div>
      </div>
    </figure>
  )
}

function Key({ dot, name, value }: { dot?: string; name: string; value: Amount }) {
  return (
    <span className="flex items-center gap-1.5 text-muted">
      {dot !== undefined && <span className={`size-2 shrink-0 rounded-[2px] ${dot}`} />}
      {name}
      <Money value={value} decimals={6} className="font-medium text-ink" />
    </span>
  )
}
