import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { useAsked } from '@/api/trouble'
import { useMessages } from '@/lib/i18n'
import { Button } from '@/ui/button'
import { Card } from '@/ui/card'
import { AsOf, Page } from '@/ui/page'
import { CreateKeyDialog, EditKeyDialog, RevokeKeyDialog } from './dialogs'
import { keyMessages } from './messages'
import { type ApiKey, keysQuery } from '../shared/keys'
import { KeysTable } from './table'

export function KeysPage() {
  const t = useMessages(keyMessages)
  const search = useSearch({ from: '/app/keys' })
  const navigate = useNavigate({ from: '/keys' })
  const [editing, setEditing] = useState<ApiKey | null>(null)
  const [revoking, setRevoking] = useState<ApiKey | null>(null)
  const query = useQuery(keysQuery)
  const rows = useAsked(query, (page) => page.data.filter((key) => search.revoked === true || key.revoked_at == null))
  const revoked = query.data?.data.some((key) => key.revoked_at != null) === true
  const openCreate = (open: boolean) => void navigate({ search: open ? { ...search, new: true } : { ...search, new: undefined } })
  return (
    <Page
      title={t.title}
      description={t.description}
      asOf={<AsOf position={query.data?.as_of_position} readAt={query.dataUpdatedAt} />}
      actions={
        <>
          {revoked && (
            <Button
              kind="quiet"
              onClick={() => void navigate({ search: search.revoked === true ? {} : { revoked: true } })}
            >
              {search.revoked === true ? t.hideRevoked : t.showRevoked}
            </Button>
          )}
          <Button kind="primary" icon="plus" onClick={() => openCreate(true)}>
            {t.create}
          </Button>
        </>
      }
    >
      <Card flush>
        <KeysTable rows={rows} onCreate={() => openCreate(true)} onEdit={setEditing} onRevoke={setRevoking} />
      </Card>
      <CreateKeyDialog open={search.new === true} onClose={() => openCreate(false)} />
      {editing !== null && <EditKeyDialog item={editing} onClose={() => setEditing(null)} />}
      {revoking !== null && <RevokeKeyDialog item={revoking} onClose={() => setRevoking(null)} />}
    </Page>
  )
}
