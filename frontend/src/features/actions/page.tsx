import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { type ReactNode, useCallback } from 'react'
import { useMessages } from '@/lib/i18n'
import { Button } from '@/ui/button'
import { Copyable } from '@/ui/copy'
import { Money } from '@/ui/money'
import { Page } from '@/ui/page'
import { SearchBox } from '@/ui/search-box'
import { Empty } from '@/ui/state'
import type { Column } from '@/ui/table'
import { Tabs } from '@/ui/tabs'
import { Time } from '@/ui/time'
import { EventLink } from '../shared/event-link'
import { eventWords } from '../shared/event-words'
import { Paged } from '../shared/paged'
import { actionPageMessages } from './messages'
import { type Decision, type TrailEntry, decisionsQuery, trailQuery } from './queries'
import { FACES, actionsSearch } from './search'

export function ActionsPage() {
  const t = useMessages(actionPageMessages)
  const { show = 'books', about = '' } = useSearch({ from: '/app/operator/actions' })
  const navigate = useNavigate({ from: '/operator/actions' })
  const find = useCallback(
    (text: string) => void navigate({ search: (before) => actionsSearch({ ...before, about: text }), replace: true }),
    [navigate],
  )
  const subject = about === '' ? undefined : about
  const empty = (
    <Empty icon="list" title={about === '' ? t.none : t.noneFit} action={about !== '' && <Button onClick={() => find('')}>{t.clear}</Button>}>
      {about === '' ? t.noneText : t.noneFitText}
    </Empty>
  )
  const content = show === 'books' ? <Decisions about={subject} empty={empty} /> : <Trail about={subject} empty={empty} />
  return (
    <Page title={t.title} description={t.description}>
      <SearchBox label={t.about} value={about} onChange={find} className="max-w-md" />
      <Tabs
        label={t.faces}
        value={show}
        tabs={FACES.map((face) => ({ value: face, label: t.face[face], content: face === show && content }))}
        onChange={(next) => void navigate({ search: actionsSearch({ show: next }), replace: true })}
      />
    </Page>
  )
}

type ListProps = { about: string | undefined; empty: ReactNode }

function Decisions({ about, empty }: ListProps) {
  const t = useMessages(actionPageMessages)
  const { types } = useMessages(eventWords)
  const columns: Array<Column<Decision>> = [
    {
      key: 'action',
      head: t.action,
      grow: true,
      cell: (row) => (
        <>
          <span className="block font-medium sm:truncate">{types[row.action] ?? row.action}</span>
          {row.reason != null && <span className="block truncate text-[0.8125rem] text-muted" title={row.reason}>{row.reason}</span>}
          <span className="block truncate text-xs text-muted sm:hidden">
            <Time at={row.at} short />
          </span>
        </>
      ),
    },
    { key: 'subject', head: t.subject, from: 'md', cell: (row) => <Subject id={row.subject} /> },
    {
      key: 'amount',
      head: t.amount,
      right: true,
      cell: (row) => (row.amount_usd == null ? <span className="text-faint">—</span> : <Money value={row.amount_usd} signed />),
    },
    { key: 'actor', head: t.actor, from: 'lg', cell: (row) => <Actor id={row.actor} name={row.actor_name} /> },
    { key: 'when', head: t.when, from: 'sm', cell: (row) => <Time at={row.at} short className="text-muted" /> },
    { key: 'event', head: t.event, right: true, cell: (row) => <EventLink position={row.position} /> },
  ]
  const query = useInfiniteQuery(decisionsQuery(about))
  return <Paged query={query} label={t.face.books} columns={columns} rowKey={(row) => String(row.position)} empty={empty} />
}

function Trail({ about, empty }: ListProps) {
  const t = useMessages(actionPageMessages)
  const words: Readonly<Record<string, string>> = t.trail
  const roles: Readonly<Record<string, string>> = t.roles
  const more = ({ from, to }: TrailEntry['details']) =>
    typeof from === 'string' && typeof to === 'string' ? `${roles[from] ?? from} → ${roles[to] ?? to}` : null
  const columns: Array<Column<TrailEntry>> = [
    {
      key: 'action',
      head: t.action,
      grow: true,
      cell: (row) => (
        <>
          <span className="block font-medium sm:truncate">{words[row.action] ?? row.action}</span>
          {more(row.details) !== null && <span className="block truncate text-[0.8125rem] text-muted">{more(row.details)}</span>}
        </>
      ),
    },
    { key: 'subject', head: t.subject, from: 'md', cell: (row) => <Copyable text={row.subject} short /> },
    { key: 'actor', head: t.actor, from: 'sm', cell: (row) => <Actor id={row.actor} name={row.actor_name} /> },
    { key: 'when', head: t.when, right: true, cell: (row) => <Time at={row.recorded_at} short className="text-muted" /> },
  ]
  const query = useInfiniteQuery(trailQuery(about))
  return <Paged query={query} label={t.face.people} columns={columns} rowKey={(row) => String(row.entry)} empty={empty} />
}

function Subject({ id }: { id: string }) {
  const t = useMessages(actionPageMessages)
  if (id === 'price_book') return <span>{t.priceBook}</span>
  if (!id.startsWith('acct_')) return <Copyable text={id} short />
  return (
    <Link to="/operator/customers/$id" params={{ id }} className="font-mono text-[0.8125rem] hover:underline" title={id}>
      {`${id.slice(0, 9)}…${id.slice(-6)}`}
    </Link>
  )
}

function Actor({ id, name }: { id: string; name: string | null | undefined }) {
  if (name != null) return <span className="block max-w-40 truncate" title={id}>{name}</span>
  return id.startsWith('usr_') ? <Copyable text={id} short /> : <code className="font-mono text-[0.8125rem] text-muted">{id}</code>
}
