import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useCommand } from '@/api/queries'
import { useTroubleText } from '@/api/trouble'
import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { Button } from '@/ui/button'
import { Badge, Facts, type Tone } from '@/ui/card'
import { ConfirmDialog } from '@/ui/dialog'
import { Page } from '@/ui/page'
import { Empty, TroubleBox } from '@/ui/state'
import type { Column } from '@/ui/table'
import { Time } from '@/ui/time'
import { Paged } from '../shared/paged'
import { mailMessages } from './messages'
import { type Mail, mailsQuery, openMail } from './queries'
import { SecretDialog } from './secret-dialog'

const TONES = { queued: 'warn', sent: 'good', failed: 'bad' } satisfies Record<string, Tone>

function isKnown(state: string): state is keyof typeof TONES {
  return state in TONES
}

function useKind(): (kind: string) => string {
  const { kinds } = useMessages(mailMessages)
  const words: Readonly<Record<string, string>> = kinds
  return (kind) => words[kind] ?? kind
}

export function MailsPage() {
  const t = useMessages(mailMessages)
  const format = useFormat()
  const kind = useKind()
  const [opening, setOpening] = useState<Mail | null>(null)
  const columns: Array<Column<Mail>> = [
    {
      key: 'kind',
      head: t.kind,
      grow: true,
      cell: (row) => (
        <>
          <span className="block truncate font-medium">{kind(row.kind)}</span>
          <code className="block truncate font-mono text-xs text-muted">{row.user_id ?? row.invitation_id ?? row.id}</code>
        </>
      ),
    },
    {
      key: 'state',
      head: t.state,
      cell: (row) => (
        <span title={row.last_error ?? ''}>{isKnown(row.state) ? <Badge tone={TONES[row.state]}>{t.states[row.state]}</Badge> : <Badge>{row.state}</Badge>}</span>
      ),
    },
    { key: 'attempts', head: t.attempts, right: true, from: 'md', cell: (row) => format.number(row.attempts) },
    { key: 'created', head: t.created, from: 'sm', cell: (row) => <Time at={row.created_at} className="text-muted" /> },
    {
      key: 'open',
      head: '',
      right: true,
      cell: (row) =>
        row.state !== 'sent' && (
          <Button small aria-label={`${t.open}: ${kind(row.kind)}, ${row.id}`} onClick={() => setOpening(row)}>
            {t.open}
          </Button>
        ),
    },
  ]
  return (
    <Page title={t.title} description={t.description}>
      <Paged
        query={useInfiniteQuery(mailsQuery)}
        label={t.title}
        columns={columns}
        rowKey={(row) => row.id}
        empty={<Empty icon="mail" title={t.none}>{t.noneText}</Empty>}
      />
      {opening !== null && <OpenDialog mail={opening} onClose={() => setOpening(null)} />}
    </Page>
  )
}

/** Asks first: that it was read stands in the audit trail. */
function OpenDialog({ mail, onClose }: { mail: Mail; onClose: () => void }) {
  const t = useMessages(mailMessages)
  const describe = useTroubleText()
  const kind = useKind()
  const open = useCommand(openMail)
  if (open.data !== undefined) {
    return (
      <SecretDialog title={kind(mail.kind)} description={t.openText} secret={open.data.text} done={t.done} onClose={onClose}>
        <Facts
          rows={[
            [t.to, open.data.to],
            [t.subject, open.data.subject],
          ]}
        />
      </SecretDialog>
    )
  }
  return (
    <ConfirmDialog
      open
      onClose={onClose}
      title={t.openTitle}
      description={t.openText}
      action={t.open}
      danger={false}
      busy={open.isPending}
      onConfirm={() => open.mutate(mail.id)}
    >
      {open.error !== null && <TroubleBox trouble={describe(open.error)} slim />}
    </ConfirmDialog>
  )
}
