import { useState } from 'react'
import { useMessages } from '@/lib/i18n'
import { type Money as Amount, ZERO, compare, largest, share, sum } from '@/lib/money'
import { Lines, Scale, Ticks, barWidth, topOf } from './axis'
import { classes } from './classes'
import { uiMessages } from './messages'
import { Money } from './money'

export type Series = { name: string; values: readonly Amount[] }

type Props = {
  label: string
  /** What stands under each bar, already in the reader's language. */
  ticks: readonly string[]
  series: readonly Series[]
  height?: number
  /** Off where the same names stand beside it in the same colours. */
  legend?: boolean
}

const FILLS = ['fill-chart-1', 'fill-chart-2', 'fill-chart-3', 'fill-chart-4', 'fill-chart-5', 'fill-chart-6']
/** The colours of the series, in their order. */
export const DOTS = ['bg-chart-1', 'bg-chart-2', 'bg-chart-3', 'bg-chart-4', 'bg-chart-5', 'bg-chart-6']
const MOST = FILLS.length

/** The largest series by themselves, the rest as one. */
export function condense(series: readonly Series[], others: string): readonly Series[] {
  if (series.length <= MOST) return series
  const ranked = series.toSorted((a, b) => compare(sum(b.values), sum(a.values)))
  const rest = ranked.slice(MOST - 1)
  const length = ranked[0]?.values.length ?? 0
  const values = Array.from({ length }, (_, at) => sum(rest.map((one) => one.values[at] ?? ZERO)))
  return [...ranked.slice(0, MOST - 1), { name: others, values }]
}

/** Amounts over time as stacked bars. A table with the same figures stands on the page or is read aloud instead. */
export function BarChart({ label, ticks, series, height = 200, legend = true }: Props) {
  const t = useMessages(uiMessages)
  const [at, setAt] = useState<number | null>(null)
  const shown = condense(series, t.others)
  const totals = ticks.map((_, bar) => sum(shown.map((one) => one.values[bar] ?? ZERO)))
  const top = topOf(largest(totals))
  const grand = sum(totals)
  const step = 100 / Math.max(1, ticks.length)
  const width = barWidth(step)
  return (
    <figure>
      <figcaption className="mb-3 flex min-h-10 flex-wrap items-baseline gap-x-4 gap-y-1">
        <span className="text-[0.8125rem] text-muted">{at === null ? t.total : ticks[at]}</span>
        <Money value={at === null ? grand : (totals[at] ?? ZERO)} decimals={6} className="font-semibold" />
        {legend && shown.length > 1 && <Legend series={shown} at={at} />}
      </figcaption>
      <div className="grid grid-cols-[auto_1fr]">
        <Scale top={top} height={height} />
        <div className="min-w-0">
          <svg
            viewBox={`0 0 100 ${height}`}
            preserveAspectRatio="none"
            className="block w-full overflow-visible"
            style={{ height }}
            role="img"
            aria-label={label}
            onMouseLeave={() => setAt(null)}
          >
            <Lines height={height} />
            {ticks.map((tick, bar) => (
              <g key={`${tick}-${bar}`} onMouseEnter={() => setAt(bar)} className={classes(at !== null && at !== bar && 'opacity-45')}>
                <rect x={bar * step} y="0" width={step} height={height} fill="transparent" />
                <Stack
                  values={shown.map((one) => one.values[bar] ?? ZERO)}
                  top={top}
                  x={bar * step + (step - width) / 2}
                  width={width}
                  height={height}
                />
              </g>
            ))}
          </svg>
          <Ticks ticks={ticks} />
        </div>
      </div>
    </figure>
  )
}

function Legend({ series, at }: { series: readonly Series[]; at: number | null }) {
  return (
    <ul className="flex min-w-0 flex-wrap gap-x-4 gap-y-1 text-[0.8125rem] text-muted sm:ml-auto">
      {series.map((one, index) => (
        <li key={one.name} className="flex max-w-64 min-w-0 items-center gap-1.5" title={one.name}>
          <span className={classes('size-2 shrink-0 rounded-[2px]', DOTS[index])} />
          <span className="truncate">{one.name}</span>
          {at !== null && <Money value={one.values[at] ?? ZERO} decimals={6} className="text-ink" />}
        </li>
      ))}
    </ul>
  )
}

function Stack({ values, top, x, width, height }: { values: readonly Amount[]; top: Amount; x: number; width: number; height: number }) {
  let base = height
  return values.map((value, index) => {
    const size = share(value, top) * height
    base -= size
    return size > 0 && <rect key={index} x={x} y={base} width={width} height={size} className={FILLS[index]} />
  })
}
