import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useCommand } from '@/api/queries'
import { useTroubleText } from '@/api/trouble'
import { useMessages } from '@/lib/i18n'
import { Button } from '@/ui/button'
import { Badge, type Tone } from '@/ui/card'
import { ConfirmDialog } from '@/ui/dialog'
import { Page } from '@/ui/page'
import { Empty, TroubleBox } from '@/ui/state'
import type { Column } from '@/ui/table'
import { Time } from '@/ui/time'
import { toast } from '@/ui/toast'
import { Paged } from '../shared/paged'
import { InviteDialog } from './invite'
import { invitationMessages } from './messages'
import { type Invitation, invitationsQuery, revokeInvitation } from './queries'

const TONES = { open: 'good', used: 'accent', revoked: 'plain', expired: 'plain' } satisfies Record<string, Tone>

function isKnown(state: string): state is keyof typeof TONES {
  return state in TONES
}

export function InvitationsPage() {
  const t = useMessages(invitationMessages)
  const [inviting, setInviting] = useState(false)
  const [revoking, setRevoking] = useState<Invitation | null>(null)
  const columns: Array<Column<Invitation>> = [
    {
      key: 'for',
      head: t.forWhom,
      grow: true,
      cell: (row) => (
        <>
          <span className="block truncate font-medium">{row.email ?? (row.state === 'open' ? t.anybody : t.gone)}</span>
          <code className="block truncate font-mono text-xs text-muted">{row.id}</code>
        </>
      ),
    },
    { key: 'state', head: t.state, cell: (row) => <State state={row.state} /> },
    { key: 'created', head: t.created, from: 'lg', cell: (row) => <Time at={row.created_at} short className="text-muted" /> },
    { key: 'until', head: t.until, from: 'sm', cell: (row) => <Time at={row.expires_at} short className="text-muted" /> },
    {
      key: 'revoke',
      head: '',
      right: true,
      cell: (row) =>
        row.state === 'open' && (
          <Button small aria-label={`${t.revoke}: ${row.email ?? row.id}`} onClick={() => setRevoking(row)}>
            {t.revoke}
          </Button>
        ),
    },
  ]
  const invite = (
    <Button kind="primary" icon="plus" onClick={() => setInviting(true)}>
      {t.invite}
    </Button>
  )
  return (
    <Page title={t.title} description={t.description} actions={invite}>
      <Paged
        query={useInfiniteQuery(invitationsQuery)}
        label={t.title}
        columns={columns}
        rowKey={(row) => row.id}
        empty={<Empty icon="people" title={t.none}>{t.noneText}</Empty>}
      />
      {inviting && <InviteDialog onClose={() => setInviting(false)} />}
      {revoking !== null && <RevokeDialog invitation={revoking} onClose={() => setRevoking(null)} />}
    </Page>
  )
}

function State({ state }: { state: string }) {
  const t = useMessages(invitationMessages)
  return isKnown(state) ? <Badge tone={TONES[state]}>{t.states[state]}</Badge> : <Badge>{state}</Badge>
}

function RevokeDialog({ invitation, onClose }: { invitation: Invitation; onClose: () => void }) {
  const t = useMessages(invitationMessages)
  const describe = useTroubleText()
  const revoke = useCommand(revokeInvitation)
  const done = () => {
    toast(t.revoked)
    onClose()
  }
  return (
    <ConfirmDialog
      open
      onClose={onClose}
      title={t.revokeTitle}
      description={t.revokeText}
      action={t.revoke}
      busy={revoke.isPending}
      onConfirm={() => revoke.mutate(invitation.id, { onSuccess: done })}
    >
      {revoke.error !== null && <TroubleBox trouble={describe(revoke.error)} slim />}
    </ConfirmDialog>
  )
}
