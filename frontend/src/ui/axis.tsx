import { useFormat } from '@/lib/format'
import { type Money, ceiling, half, isZero } from '@/lib/money'
import { classes } from './classes'

/** What a chart's full height stands for: a round amount, so that its lines can be read. */
export const topOf = ceiling

/** The lines behind the bars, drawn in a view box that is 100 wide. */
export function Lines({ height }: { height: number }) {
  return [0, 0.5, 1].map((line) => (
    <line key={line} x1="0" x2="100" y1={height * line} y2={height * line} className="stroke-line" vectorEffect="non-scaling-stroke" />
  ))
}

/** What the lines stand for. A table or a label says the same to readers of the screen. */
export function Scale({ top, height }: { top: Money; height: number }) {
  const format = useFormat()
  if (isZero(top)) return <div />
  const labels = [top, half(top)].map((amount) => format.money(amount))
  return (
    <div className="nums relative mr-2.5 text-right text-2xs whitespace-nowrap text-faint" style={{ height }} aria-hidden="true">
      {labels.map((label, index) => (
        <div key={label}>
          <span className="invisible block h-0">{label}</span>
          <span className="absolute right-0 -translate-y-1/2" style={{ top: (height * index) / 2 }}>
            {label}
          </span>
        </div>
      ))}
    </div>
  )
}

/** At most seven names under the bars, four on a phone. */
export function Ticks({ ticks }: { ticks: readonly string[] }) {
  const step = 100 / Math.max(1, ticks.length)
  const every = Math.ceil(ticks.length / 7)
  // A name in the middle of a narrow first bar would begin outside of the chart.
  const narrow = step < 8
  return (
    <div className="nums relative mt-1.5 h-4 text-2xs text-faint" aria-hidden="true">
      {ticks.map(
        (tick, bar) =>
          bar % every === 0 && (
            <span
              key={`${tick}-${bar}`}
              className={classes(
                'absolute whitespace-nowrap',
                !(narrow && bar === 0) && '-translate-x-1/2',
                ticks.length > 4 && (bar / every) % 2 === 1 && 'max-sm:hidden',
              )}
              style={{ left: narrow && bar === 0 ? '0%' : `${(bar + 0.5) * step}%` }}
            >
              {tick}
            </span>
          ),
      )}
    </div>
  )
}

/** How wide a bar is of its place: a chart of two days needs no walls. */
export function barWidth(step: number): number {
  return Math.min(step * 0.72, 7)
}
