import { useInfiniteQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback } from 'react'
import { useMessages } from '@/lib/i18n'
import { Button } from '@/ui/button'
import { Badge, type Tone } from '@/ui/card'
import { Select } from '@/ui/field'
import { Page } from '@/ui/page'
import { SearchBox } from '@/ui/search-box'
import { Empty } from '@/ui/state'
import type { Column } from '@/ui/table'
import { Time } from '@/ui/time'
import { Paged } from '../shared/paged'
import { useMayChange } from '../shared/role'
import { PersonActions } from './actions'
import { peopleMessages } from './messages'
import { type Person, peopleQuery } from './queries'
import { ROLES, peopleSearch } from './search'

const TONES: Record<Person['role'], Tone> = { client: 'plain', admin: 'accent', auditor: 'warn' }
const ALL = ''

/** What somebody is called; auditors know only ids. */
export function personName({ name, email, id }: Person): string {
  return [name, email].find((text) => text != null && text !== '') ?? id
}

export function PeoplePage() {
  const t = useMessages(peopleMessages)
  const search = useSearch({ from: '/app/operator/people' })
  const { q = '', role } = search
  const navigate = useNavigate({ from: '/operator/people' })
  const find = useCallback(
    (text: string) => void navigate({ search: (before) => peopleSearch({ ...before, q: text }), replace: true }),
    [navigate],
  )
  const change = useMayChange()
  const filtered = Object.keys(search).length > 0
  return (
    <Page title={t.title} description={t.description}>
      <div className="flex flex-wrap items-center gap-2">
        <SearchBox label={t.search} value={q} onChange={find} className="min-w-60 max-w-md flex-1" />
        <div className="w-44">
          <Select
            aria-label={t.role}
            value={role ?? ALL}
            options={[{ value: ALL, label: t.allRoles } as const, ...ROLES.map((value) => ({ value, label: t.roles[value] }))]}
            onChange={(next) => void navigate({ search: peopleSearch({ ...search, role: next }), replace: true })}
          />
        </div>
      </div>
      <Paged
        query={useInfiniteQuery(peopleQuery(q.trim(), role))}
        label={t.title}
        columns={useColumns(change)}
        rowKey={(row) => row.id}
        empty={
          <Empty icon="people" title={t.none} action={filtered && <Button onClick={() => void navigate({ search: {} })}>{t.clear}</Button>}>
            {t.noneText}
          </Empty>
        }
      />
    </Page>
  )
}

function useColumns(change: boolean): Array<Column<Person>> {
  const t = useMessages(peopleMessages)
  const actions: Column<Person> = { key: 'actions', head: '', right: true, cell: (row) => <PersonActions person={row} name={personName(row)} /> }
  return [
    {
      key: 'person',
      head: t.person,
      grow: true,
      cell: (row) => (
        <>
          <Link to="/operator/customers/$id" params={{ id: row.account_id }} className="block truncate font-medium hover:underline">
            {personName(row)}
          </Link>
          <span className="block truncate text-xs text-muted">{row.email ?? row.id}</span>
        </>
      ),
    },
    { key: 'role', head: t.role, cell: (row) => <Badge tone={TONES[row.role]}>{t.roles[row.role]}</Badge> },
    {
      key: 'verified',
      head: t.email,
      from: 'md',
      cell: (row) => (row.email_verified ? <Badge tone="good">{t.verified}</Badge> : <Badge>{t.unverified}</Badge>),
    },
    { key: 'account', head: t.account, from: 'sm', cell: (row) => <AccountState status={row.account_status} /> },
    { key: 'since', head: t.since, from: 'lg', cell: (row) => <Time at={row.created_at} short className="text-muted" /> },
    ...(change ? [actions] : []),
  ]
}

function AccountState({ status }: { status: string | null | undefined }) {
  const t = useMessages(peopleMessages)
  if (status == null) return <span className="text-faint">—</span>
  if (status === 'active') return <Badge tone="good">{t.states.active}</Badge>
  return <Badge tone="bad">{status === 'suspended' ? t.states.suspended : status}</Badge>
}
