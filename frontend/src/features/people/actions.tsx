import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { useCommand } from '@/api/queries'
import { useTroubleText } from '@/api/trouble'
import { useMessages } from '@/lib/i18n'
import { Button, IconButton } from '@/ui/button'
import { ConfirmDialog, Dialog } from '@/ui/dialog'
import { SelectField } from '@/ui/field'
import { Menu, MenuItem, MenuLine } from '@/ui/menu'
import { uiMessages } from '@/ui/messages'
import { TroubleBox } from '@/ui/state'
import { toast } from '@/ui/toast'
import { peopleMessages } from './messages'
import { type Person, endSessions, makeResetLink, setRole } from './queries'
import { ROLES } from './search'
import { SecretDialog } from './secret-dialog'

type Action = 'role' | 'signOut' | 'reset'
type Props = { person: Person; name: string; onClose: () => void }

/** What an operator may do to somebody. */
export function PersonActions({ person, name }: Omit<Props, 'onClose'>) {
  const t = useMessages(peopleMessages)
  const navigate = useNavigate()
  const [open, setOpen] = useState<Action | null>(null)
  const props = { person, name, onClose: () => setOpen(null) }
  return (
    <>
      <Menu trigger={<IconButton icon="dots" label={t.actions(name)} />}>
        <MenuItem icon="card" onSelect={() => void navigate({ to: '/operator/customers/$id', params: { id: person.account_id } })}>
          {t.openCustomer}
        </MenuItem>
        <MenuLine />
        <MenuItem icon="edit" onSelect={() => setOpen('role')}>{t.changeRole}</MenuItem>
        <MenuItem icon="key" onSelect={() => setOpen('reset')}>{t.reset}</MenuItem>
        <MenuItem icon="out" danger onSelect={() => setOpen('signOut')}>{t.signOut}</MenuItem>
      </Menu>
      {open === 'role' && <RoleDialog {...props} />}
      {open === 'signOut' && <SignOutDialog {...props} />}
      {open === 'reset' && <ResetDialog {...props} />}
    </>
  )
}

function RoleDialog({ person, name, onClose }: Props) {
  const t = useMessages(peopleMessages)
  const ui = useMessages(uiMessages)
  const describe = useTroubleText()
  const [role, choose] = useState(person.role)
  const change = useCommand(setRole)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    change.mutate(
      { id: person.id, role },
      {
        onSuccess: () => {
          toast(t.roleChanged)
          onClose()
        },
      },
    )
  }
  return (
    <Dialog open onClose={onClose} title={`${t.changeRole}: ${name}`} description={t.changeRoleText}>
      <form onSubmit={submit} className="space-y-4">
        {change.error !== null && <TroubleBox trouble={describe(change.error)} slim />}
        <SelectField label={t.role} value={role} options={ROLES.map((value) => ({ value, label: t.roles[value] }))} onChange={choose} />
        <div className="flex justify-end gap-2 pt-1">
          <Button onClick={onClose}>{ui.cancel}</Button>
          <Button type="submit" kind="primary" busy={change.isPending}>
            {t.save}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

function SignOutDialog({ person, name, onClose }: Props) {
  const t = useMessages(peopleMessages)
  const describe = useTroubleText()
  const end = useCommand(endSessions)
  const done = () => {
    toast(t.signedOut)
    onClose()
  }
  return (
    <ConfirmDialog
      open
      onClose={onClose}
      title={t.signOutTitle(name)}
      description={t.signOutText}
      action={t.signOut}
      busy={end.isPending}
      onConfirm={() => end.mutate(person.id, { onSuccess: done })}
    >
      {end.error !== null && <TroubleBox trouble={describe(end.error)} slim />}
    </ConfirmDialog>
  )
}

function ResetDialog({ person, name, onClose }: Props) {
  const t = useMessages(peopleMessages)
  const describe = useTroubleText()
  const make = useCommand(makeResetLink)
  const title = `${t.reset}: ${name}`
  if (make.data !== undefined) {
    return <SecretDialog title={title} description={t.linkOnce} secret={make.data.url} done={t.done} onClose={onClose} />
  }
  return (
    <ConfirmDialog
      open
      onClose={onClose}
      title={title}
      description={t.resetText}
      action={t.reset}
      danger={false}
      busy={make.isPending}
      onConfirm={() => make.mutate(person.id)}
    >
      {make.error !== null && <TroubleBox trouble={describe(make.error)} slim />}
    </ConfirmDialog>
  )
}
