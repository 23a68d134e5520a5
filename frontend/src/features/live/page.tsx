import { useTroubleText } from '@/api/trouble'
import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { Badge, Card, Figure } from '@/ui/card'
import { AsOf, Page } from '@/ui/page'
import { Skeleton, TroubleBox } from '@/ui/state'
import { type Column, Table } from '@/ui/table'
import { liveMessages } from './messages'
import { type Picture, SECONDS, errorsOf } from './stream'
import { useLive } from './use-live'

export function LivePage() {
  const t = useMessages(liveMessages)
  const describe = useTroubleText()
  const { seen, connected, error, retry } = useLive()
  const now = seen.at(-1)
  return (
    <Page
      title={t.title}
      description={t.description}
      asOf={<AsOf position={now?.books?.head} readAt={now === undefined ? 0 : Date.parse(now.at)} />}
      actions={
        // As wide with either word, so that the page below stays where it is.
        <span className="inline-flex min-w-28 sm:justify-end">
          <Badge tone={connected ? 'good' : 'warn'}>{connected ? t.connected : t.waiting}</Badge>
        </span>
      }
    >
      {error !== null && now === undefined && <Card flush><TroubleBox trouble={describe(error)} retry={retry} /></Card>}
      {error !== null && now !== undefined && <TroubleBox trouble={describe(error)} slim />}
      {error === null && now === undefined && <Card><Skeleton lines={6} /></Card>}
      {now !== undefined && (
        <>
          <Now picture={now} />
          <Rate seen={seen} />
          <div className="grid items-start gap-4 lg:grid-cols-[3fr_2fr]">
            <Latency picture={now} />
            <Errors seen={seen} />
          </div>
        </>
      )}
    </Page>
  )
}

function Now({ picture }: { picture: Picture }) {
  const t = useMessages(liveMessages)
  const format = useFormat()
  const { books } = picture
  const age = (seconds: number) => format.duration(seconds * 1_000)
  const bad = (value: number) => <span className={value > 0 ? 'nums text-bad' : 'nums'}>{format.number(value)}</span>
  return (
    <Card>
      <dl className="grid grid-cols-2 gap-x-6 gap-y-5 sm:grid-cols-4" data-testid="live">
        <Figure label={t.rate} note={t.rateNote}>
          <span className="nums">{format.number(picture.requests_per_second)}</span>
        </Figure>
        <Figure label={t.refused}>
          <span className="nums">{format.number(picture.refused_per_second)}</span>
        </Figure>
        <Figure label={t.failed}>{bad(picture.failed_per_second)}</Figure>
        <Figure label={t.inFlight}>
          <span className="nums">{format.number(picture.in_flight)}</span>
        </Figure>
        <Figure label={t.streams}>
          <span className="nums">{format.number(picture.open_streams)}</span>
        </Figure>
        <Figure label={t.queue}>
          <span className="nums">{format.number(picture.ledger_queue)}</span>
        </Figure>
        {books != null && (
          <>
            <Figure
              label={t.reservations}
              note={books.open_reservations === 0 ? undefined : t.oldest(age(books.oldest_reservation_seconds))}
            >
              <span className="nums">{format.number(books.open_reservations)}</span>
            </Figure>
            <Figure label={t.lag} note={books.projection_lag_events === 0 ? undefined : t.lagNote(age(books.projection_lag_seconds))}>
              <span className="nums">{format.number(books.projection_lag_events)}</span>
            </Figure>
          </>
        )}
      </dl>
      {books == null && <p className="mt-4 text-bad">{t.booksAway}</p>}
    </Card>
  )
}

const HEIGHT = 120

function Rate({ seen }: { seen: readonly Picture[] }) {
  const t = useMessages(liveMessages)
  const format = useFormat()
  const top = Math.max(1, ...seen.map((picture) => picture.requests_per_second))
  const step = 100 / SECONDS
  const begin = SECONDS - seen.length
  return (
    <Card title={t.rateChart} actions={<span className="nums text-[0.8125rem] text-muted">{t.highest(format.number(top))}</span>}>
      <svg
        viewBox={`0 0 100 ${HEIGHT}`}
        preserveAspectRatio="none"
        className="block w-full"
        style={{ height: HEIGHT }}
        role="img"
        aria-label={t.rateChart}
      >
        {[0, 0.5, 1].map((line) => (
          <line key={line} x1="0" x2="100" y1={HEIGHT * line} y2={HEIGHT * line} className="stroke-line" vectorEffect="non-scaling-stroke" />
        ))}
        {seen.map((picture, index) => {
          const [size, failed] = [picture.requests_per_second, picture.failed_per_second].map((rate) => (rate / top) * HEIGHT)
          const x = (begin + index) * step
          return (
            <g key={picture.at}>
              <rect x={x} y={HEIGHT - (size ?? 0)} width={step * 0.8} height={size} className="fill-chart-1" />
              <rect x={x} y={HEIGHT - (failed ?? 0)} width={step * 0.8} height={failed} className="fill-bad" />
            </g>
          )
        })}
      </svg>
    </Card>
  )
}

type Time = 'first_byte' | 'duration' | 'overhead'
const TIMES: readonly Time[] = ['first_byte', 'duration', 'overhead']

function Latency({ picture }: { picture: Picture }) {
  const t = useMessages(liveMessages)
  const format = useFormat()
  const cell = (ms: number | null | undefined) => <span className="nums">{ms == null ? '—' : format.duration(ms)}</span>
  const columns: Array<Column<Time>> = [
    { key: 'part', head: t.part, grow: true, cell: (time) => t.times[time] },
    { key: 'half', head: t.half, right: true, cell: (time) => cell(picture[time].p50_ms) },
    { key: 'most', head: t.most, right: true, cell: (time) => cell(picture[time].p90_ms) },
    { key: 'all', head: t.all, right: true, from: 'sm', cell: (time) => cell(picture[time].p99_ms) },
  ]
  return (
    <Card title={t.latency} flush>
      <Table
        label={t.latency}
        rows={{ data: TIMES, isPending: false, trouble: null, retry: () => undefined }}
        columns={columns}
        rowKey={(time) => time}
        empty={null}
      />
      <p className="border-t border-line px-4 py-3 text-[0.8125rem] text-muted sm:px-5">{t.latencyNote}</p>
    </Card>
  )
}

function Errors({ seen }: { seen: readonly Picture[] }) {
  const t = useMessages(liveMessages)
  const format = useFormat()
  type Row = ReturnType<typeof errorsOf>[number]
  const columns: Array<Column<Row>> = [
    { key: 'code', head: t.code, grow: true, cell: (row) => <code className="block truncate font-mono text-[0.8125rem]">{row.code}</code> },
    { key: 'count', head: t.count, right: true, cell: (row) => format.number(row.count) },
  ]
  return (
    <Card title={t.errors} flush>
      <Table
        label={t.errors}
        rows={{ data: errorsOf(seen), isPending: false, trouble: null, retry: () => undefined }}
        columns={columns}
        rowKey={(row) => row.code}
        empty={<p className="px-4 pb-5 text-muted sm:px-5">{t.noErrors}</p>}
      />
    </Card>
  )
}
