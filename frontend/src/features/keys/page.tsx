import { useInfiniteQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { useTroubleText } from '@/api/trouble'
import { useMessages } from '@/lib/i18n'
import { Button } from '@/ui/button'
import { Card } from '@/ui/card'
import { AsOf, Page } from '@/ui/page'
import { CreateKeyDialog, EditKeyDialog, RevokeKeyDialog } from './dialogs'
import { keyMessages } from './messages'
import { type ApiKey, keyPagesQuery } from '../shared/keys'
import { More } from '../shared/paged'
import { KeysTable } from './table'

export function KeysPage() {
  const t = useMessages(keyMessages)
  const describe = useTroubleText()
  const search = useSearch({ from: '/app/keys' })
  const navigate = useNavigate({ from: '/keys' })
  const [editing, setEditing] = useState<ApiKey | null>(null)
  const [revoking, setRevoking] = useState<ApiKey | null>(null)
  const query = useInfiniteQuery(keyPagesQuery)
  const all = query.data?.pages.flatMap((page) => page.data)
  const rows = {
    data: all?.filter((key) => search.revoked === true || key.revoked_at == null),
    isPending: query.isPending,
    trouble: query.error === null ? null : describe(query.error),
    retry: () => void query.refetch(),
  }
  const revoked = all?.some((key) => key.revoked_at != null) === true
  const openCreate = (open: boolean) => void navigate({ search: open ? { ...search, new: true } : { ...search, new: undefined } })
  return (
    <Page
      title={t.title}
      description={t.description}
      asOf={<AsOf position={query.data?.pages[0]?.as_of_position} readAt={query.dataUpdatedAt} />}
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
        <More query={query} />
      </Card>
      <CreateKeyDialog open={search.new === true} onClose={() => openCreate(false)} />
      {editing !== null && <EditKeyDialog item={editing} onClose={() => setEditing(null)} />}
      {revoking !== null && <RevokeKeyDialog item={revoking} onClose={() => setRevoking(null)} />}
    </Page>
  )
}
