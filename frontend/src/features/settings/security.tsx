import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { ApiError } from '@/api/error'
import { useCommand } from '@/api/queries'
import { useAsked } from '@/api/trouble'
import { useMessages } from '@/lib/i18n'
import { Button } from '@/ui/button'
import { Badge, Card } from '@/ui/card'
import { PasswordField } from '@/ui/field'
import { Stateful } from '@/ui/state'
import { Time } from '@/ui/time'
import { toast } from '@/ui/toast'
import { SettingsForm } from './form'
import { settingsMessages } from './messages'
import { type SessionItem, changePassword, endOtherSessions, endSession, sessionsQuery } from './queries'

const SHORTEST_PASSWORD = 10

export function Password({ email }: { email: string }) {
  const t = useMessages(settingsMessages)
  const [old, setOld] = useState('')
  const [password, setPassword] = useState('')
  const change = useCommand(changePassword)
  const wrong = change.error instanceof ApiError && change.error.status === 401
  const save = () => {
    const done = () => {
      setOld('')
      setPassword('')
      toast(t.changed)
    }
    change.mutate({ old_password: old, password }, { onSuccess: done })
  }
  return (
    <Card title={t.password}>
      <SettingsForm
        action={t.change}
        busy={change.isPending}
        error={wrong ? null : change.error}
        disabled={old === '' || password.length < SHORTEST_PASSWORD}
        onSubmit={save}
      >
        {/* Password managers want to know whose it is. */}
        <input type="email" autoComplete="username" value={email} readOnly hidden />
        <PasswordField
          label={t.oldPassword}
          autoComplete="current-password"
          value={old}
          error={wrong ? t.wrongPassword : null}
          onChange={(event) => setOld(event.target.value)}
        />
        <PasswordField
          label={t.newPassword}
          autoComplete="new-password"
          hint={t.passwordHint}
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
      </SettingsForm>
    </Card>
  )
}

export function Sessions() {
  const t = useMessages(settingsMessages)
  const sessions = useAsked(useQuery(sessionsQuery), (list) => list.data)
  const endOthers = useCommand(endOtherSessions)
  const several = (sessions.data?.length ?? 0) > 1
  return (
    <Card
      title={t.sessions}
      flush
      actions={
        several && (
          <Button
            small
            busy={endOthers.isPending}
            onClick={() => endOthers.mutate(undefined, { onSuccess: () => toast(t.endedOthers) })}
          >
            {t.endOthers}
          </Button>
        )
      }
    >
      <p className="px-4 pb-2 text-muted sm:px-5">{t.sessionsText}</p>
      <Stateful of={sessions}>
        {(list) => (
          <ul>
            {list.map((item) => (
              <SessionRow key={item.id} item={item} />
            ))}
          </ul>
        )}
      </Stateful>
    </Card>
  )
}

function SessionRow({ item }: { item: SessionItem }) {
  const t = useMessages(settingsMessages)
  const end = useCommand(endSession)
  return (
    <li className="flex items-center gap-3 border-t border-line px-4 py-3 sm:px-5">
      <div className="min-w-0 flex-1">
        <p className="flex items-center gap-2">
          <span className="truncate" title={item.user_agent ?? ''}>
            {program(item.user_agent) ?? t.unknown}
          </span>
          {item.current && <Badge tone="accent">{t.current}</Badge>}
        </p>
        <p className="text-[0.8125rem] text-muted">
          {item.address != null && `${item.address} · `}
          {t.lastUsed} <Time at={item.last_used_at} relative />
        </p>
      </div>
      {!item.current && (
        <Button small busy={end.isPending} onClick={() => end.mutate(item.id, { onSuccess: () => toast(t.ended) })}>
          {t.end}
        </Button>
      )}
    </li>
  )
}

/** Browser and system, out of the long name that browsers give themselves. */
function program(agent: string | null | undefined): string | null {
  if (agent == null || agent === '') return null
  const browser = /(Firefox|Edg|OPR|YaBrowser|Chrome|Safari)\/[\d.]+/.exec(agent)?.[1]
  const system = /(Windows|Mac OS X|Android|iPhone|iPad|Linux)/.exec(agent)?.[1]
  if (browser === undefined) return agent.slice(0, 60)
  const names: Record<string, string> = { Edg: 'Edge', OPR: 'Opera', YaBrowser: 'Yandex Browser' }
  const name = names[browser] ?? browser
  return system === undefined ? name : `${name} · ${system.replace('Mac OS X', 'macOS')}`
}
