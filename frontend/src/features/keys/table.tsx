import { useNavigate } from '@tanstack/react-router'
import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { share } from '@/lib/money'
import { useNow } from '@/lib/now'
import { Button, IconButton } from '@/ui/button'
import { Badge, type Tone } from '@/ui/card'
import { Icon } from '@/ui/icon'
import { Menu, MenuItem } from '@/ui/menu'
import { Money } from '@/ui/money'
import { type Asked, Empty } from '@/ui/state'
import { type Column, Table } from '@/ui/table'
import { Time } from '@/ui/time'
import { keyMessages } from './messages'
import { type ApiKey, keyState } from '../shared/keys'

const TONES: Record<ReturnType<typeof keyState>, Tone> = { active: 'good', expired: 'warn', revoked: 'plain' }

type Props = {
  rows: Asked<readonly ApiKey[]>
  onCreate: () => void
  onEdit: (item: ApiKey) => void
  onRevoke: (item: ApiKey) => void
}

export function KeysTable({ rows, onCreate, onEdit, onRevoke }: Props) {
  const t = useMessages(keyMessages)
  const now = useNow(30_000)
  const navigate = useNavigate()
  const columns: Array<Column<ApiKey>> = [
    {
      key: 'name',
      head: t.name,
      grow: true,
      cell: (row) => (
        <>
          <span className="block truncate font-medium">{row.name}</span>
          <code className="block truncate font-mono text-xs text-muted">{row.masked}</code>
        </>
      ),
    },
    { key: 'state', head: t.state, from: 'sm', cell: (row) => <State item={row} now={now} /> },
    { key: 'limit', head: t.limit, from: 'md', cell: (row) => <Limit item={row} /> },
    { key: 'used', head: t.used, from: 'lg', cell: (row) => <LastUse item={row} /> },
    { key: 'total', head: t.total, right: true, cell: (row) => <Money value={row.lifetime_spent_usd} decimals={6} /> },
    {
      key: 'actions',
      head: '',
      right: true,
      cell: (row) => (
        <Menu trigger={<IconButton icon="dots" label={t.actions(row.name)} />}>
          <MenuItem icon="list" onSelect={() => void navigate({ to: '/requests', search: { key: row.id } })}>
            {t.requests}
          </MenuItem>
          {row.revoked_at == null && (
            <>
              <MenuItem icon="edit" onSelect={() => onEdit(row)}>
                {t.edit}
              </MenuItem>
              <MenuItem icon="close" danger onSelect={() => onRevoke(row)}>
                {t.revoke}
              </MenuItem>
            </>
          )}
        </Menu>
      ),
    },
  ]
  return (
    <Table
      label={t.title}
      rows={rows}
      columns={columns}
      rowKey={(row) => row.id}
      empty={
        <Empty icon="key" title={t.empty} action={<Button kind="primary" onClick={onCreate}>{t.create}</Button>}>
          {t.emptyText}
        </Empty>
      }
    />
  )
}

function State({ item, now }: { item: ApiKey; now: number }) {
  const t = useMessages(keyMessages)
  const format = useFormat()
  const state = keyState(item, now)
  const until = state === 'active' && item.expires_at != null ? item.expires_at : undefined
  return (
    <>
      <Badge tone={TONES[state]}>{t[state]}</Badge>
      {until !== undefined && (
        <span className="mt-0.5 flex items-center gap-1 text-xs whitespace-nowrap text-muted" title={format.dateTime(until)}>
          <Icon name="right" className="size-3" />
          {format.date(until)}
        </span>
      )}
    </>
  )
}

function Limit({ item }: { item: ApiKey }) {
  const t = useMessages(keyMessages)
  const format = useFormat()
  if (item.limit_usd == null) return <span className="text-muted">{t.noLimit}</span>
  const part = Math.min(1, share(item.spent_usd, item.limit_usd))
  return (
    <div className="w-40">
      <div className="nums flex justify-between gap-2 text-[0.8125rem] whitespace-nowrap">
        <span>{format.money(item.limit_usd, 2)}</span>
        <span className="text-muted">{t.periods[item.period]}</span>
      </div>
      <div className="mt-1 h-1.5 overflow-hidden rounded-full bg-sunken">
        <div className={`h-full ${part > 0.9 ? 'bg-warn' : 'bg-chart-1'}`} style={{ width: `${part * 100}%` }} />
      </div>
      {item.left_usd != null && <div className="nums mt-0.5 text-xs text-muted">{t.left(format.money(item.left_usd, 2))}</div>}
    </div>
  )
}

function LastUse({ item }: { item: ApiKey }) {
  const t = useMessages(keyMessages)
  return item.last_used_at == null ? (
    <span className="text-muted">{t.never}</span>
  ) : (
    <Time at={item.last_used_at} relative className="text-muted" />
  )
}
