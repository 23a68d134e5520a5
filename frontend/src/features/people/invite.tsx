import { type FormEvent, useState } from 'react'
import { useCommand } from '@/api/queries'
import { useTroubleText } from '@/api/trouble'
import { currentLanguage, useMessages } from '@/lib/i18n'
import { Button } from '@/ui/button'
import { Dialog } from '@/ui/dialog'
import { SelectField, TextField } from '@/ui/field'
import { uiMessages } from '@/ui/messages'
import { TroubleBox } from '@/ui/state'
import { invitationMessages } from './messages'
import { invite } from './queries'
import { SecretDialog } from './secret-dialog'

const LANGUAGES = ['en', 'ru'] as const

/** Asks whom to invite, then shows the link: once. */
export function InviteDialog({ onClose }: { onClose: () => void }) {
  const t = useMessages(invitationMessages)
  const ui = useMessages(uiMessages)
  const describe = useTroubleText()
  const [email, setEmail] = useState('')
  const [days, setDays] = useState('7')
  const [language, setLanguage] = useState<(typeof LANGUAGES)[number]>(currentLanguage)
  const [tried, setTried] = useState(false)
  const make = useCommand(invite)
  const address = email.trim()
  const badEmail = address !== '' && !/^\S+@\S+$/.test(address)
  const badDays = !/^([1-9]|[1-8]\d|90)$/.test(days.trim())
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setTried(true)
    if (badEmail || badDays) return
    make.mutate({ days: Number(days), language, ...(address !== '' && { email: address }) })
  }
  if (make.data !== undefined) {
    return <SecretDialog title={t.made} description={t.madeText} secret={make.data.url} done={t.done} onClose={onClose} />
  }
  return (
    <Dialog open onClose={onClose} title={t.inviteTitle}>
      <form onSubmit={submit} className="space-y-4" noValidate>
        {make.error !== null && <TroubleBox trouble={describe(make.error)} slim />}
        <TextField
          label={t.email}
          hint={t.emailHint}
          optional
          name="invited"
          type="email"
          autoComplete="off"
          autoFocus
          value={email}
          error={tried && badEmail ? t.badEmail : null}
          onChange={(event) => setEmail(event.target.value)}
        />
        <TextField
          label={t.days}
          hint={t.daysHint}
          name="days"
          inputMode="numeric"
          autoComplete="off"
          value={days}
          error={tried && badDays ? t.badDays : null}
          onChange={(event) => setDays(event.target.value)}
        />
        <SelectField
          label={t.language}
          value={language}
          options={LANGUAGES.map((value) => ({ value, label: t.languages[value] }))}
          onChange={setLanguage}
        />
        <div className="flex justify-end gap-2 pt-1">
          <Button onClick={onClose}>{ui.cancel}</Button>
          <Button type="submit" kind="primary" busy={make.isPending}>
            {t.invite}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
