import type { FormEvent, ReactNode } from 'react'
import { useTroubleText } from '@/api/trouble'
import { Button } from '@/ui/button'
import { goToWrong } from '@/ui/field'
import { TroubleBox } from '@/ui/state'

type Props = { action: string; busy: boolean; error: Error | null; onSubmit: () => void; children: ReactNode; disabled?: boolean }

/** A few fields and the button that saves them. */
export function SettingsForm({ action, busy, error, onSubmit, children, disabled = false }: Props) {
  const describe = useTroubleText()
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    onSubmit()
    goToWrong(event.currentTarget)
  }
  return (
    <form onSubmit={submit} className="max-w-md space-y-4" noValidate>
      {error !== null && <TroubleBox trouble={describe(error)} slim />}
      {children}
      <Button type="submit" busy={busy} disabled={disabled}>
        {action}
      </Button>
    </form>
  )
}
