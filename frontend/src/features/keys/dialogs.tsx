import { useState } from 'react'
import { useCommand } from '@/api/queries'
import { useTroubleText } from '@/api/trouble'
import { useMessages } from '@/lib/i18n'
import { Button } from '@/ui/button'
import { CopyButton } from '@/ui/copy'
import { ConfirmDialog, Dialog } from '@/ui/dialog'
import { TroubleBox } from '@/ui/state'
import { toast } from '@/ui/toast'
import { emptyForm, formOf } from './form'
import { KeyFields } from './key-form'
import { keyMessages } from './messages'
import { type ApiKey, type IssuedKey, changeKey, issueKey, revokeKey } from '../shared/keys'

/** Asks for name and limits, then shows the key: once, because afterwards nobody has it. */
export function CreateKeyDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const t = useMessages(keyMessages)
  const [issued, setIssued] = useState<IssuedKey | null>(null)
  const issue = useCommand(issueKey)
  const close = () => {
    setIssued(null)
    issue.reset()
    onClose()
  }
  if (issued !== null) {
    return (
      <Dialog open={open} onClose={close} title={t.createdTitle} description={t.createdText}>
        <code className="block rounded-lg border border-line bg-sunken p-3 font-mono text-[0.8125rem] break-all" data-testid="new-key">
          {issued.key}
        </code>
        <div className="mt-4 flex justify-end gap-2">
          <CopyButton text={issued.key} />
          <Button small kind="primary" onClick={close}>
            {t.saved}
          </Button>
        </div>
      </Dialog>
    )
  }
  return (
    <Dialog open={open} onClose={close} title={t.create}>
      <KeyFields
        initial={emptyForm()}
        action={t.create}
        busy={issue.isPending}
        error={issue.error}
        onCancel={close}
        onSubmit={(body) => issue.mutate(body, { onSuccess: setIssued })}
      />
    </Dialog>
  )
}

export function EditKeyDialog({ item, onClose }: { item: ApiKey; onClose: () => void }) {
  const t = useMessages(keyMessages)
  const change = useCommand(changeKey)
  const done = () => {
    toast(t.savedToast)
    onClose()
  }
  return (
    <Dialog open onClose={onClose} title={t.editTitle} description={<code className="font-mono">{item.masked}</code>}>
      <KeyFields
        initial={formOf(item)}
        action={t.save}
        busy={change.isPending}
        error={change.error}
        onCancel={onClose}
        onSubmit={(body) => change.mutate({ id: item.id, body }, { onSuccess: done })}
      />
    </Dialog>
  )
}

export function RevokeKeyDialog({ item, onClose }: { item: ApiKey; onClose: () => void }) {
  const t = useMessages(keyMessages)
  const describe = useTroubleText()
  const revoke = useCommand(revokeKey)
  const done = () => {
    toast(t.revokedToast)
    onClose()
  }
  return (
    <ConfirmDialog
      open
      onClose={onClose}
      title={t.revokeTitle(item.name)}
      description={t.revokeText}
      action={t.revoke}
      busy={revoke.isPending}
      onConfirm={() => revoke.mutate(item.id, { onSuccess: done })}
    >
      {revoke.error !== null && <TroubleBox trouble={describe(revoke.error)} slim />}
    </ConfirmDialog>
  )
}
