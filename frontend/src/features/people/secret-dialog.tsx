import type { ReactNode } from 'react'
import { Button } from '@/ui/button'
import { CopyButton } from '@/ui/copy'
import { Dialog } from '@/ui/dialog'

type Props = { title: string; description: string; secret: string; done: string; onClose: () => void; children?: ReactNode }

/** What is shown once: a link, or a letter with one in it. */
export function SecretDialog({ title, description, secret, done, onClose, children }: Props) {
  return (
    <Dialog open onClose={onClose} title={title} description={description}>
      {children}
      <pre
        className="max-h-72 overflow-y-auto rounded-lg border border-line bg-sunken p-3 font-mono text-[0.8125rem] break-all whitespace-pre-wrap"
        data-testid="secret"
        tabIndex={0}
      >
        {secret}
      </pre>
      <div className="mt-4 flex justify-end gap-2">
        <CopyButton text={secret} />
        <Button small kind="primary" onClick={onClose}>
          {done}
        </Button>
      </div>
    </Dialog>
  )
}
