import * as Radix from '@radix-ui/react-dialog'
import { type ComponentProps, type ReactNode, useState } from 'react'
import { useMessages } from '@/lib/i18n'
import { Button, IconButton } from './button'
import { classes } from './classes'
import { uiMessages } from './messages'

type Props = {
  open: boolean
  onClose: () => void
  title: string
  description?: ReactNode
  wide?: boolean
  children: ReactNode
}

export function Dialog({ open, onClose, title, description, wide = false, children }: Props) {
  const t = useMessages(uiMessages)
  return (
    <Radix.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-black/40" />
        <Content
          className={classes(
            'fixed top-1/2 left-1/2 z-50 max-h-[calc(100dvh-2rem)] w-[calc(100vw-2rem)] -translate-x-1/2 -translate-y-1/2',
            'overflow-y-auto rounded-xl border border-line bg-surface shadow-float focus:outline-none',
            wide ? 'max-w-2xl' : 'max-w-md',
          )}
          {...(description === undefined && { 'aria-describedby': undefined })}
        >
          <header className="flex items-start gap-4 px-5 pt-5">
            <div className="min-w-0 flex-1">
              <Radix.Title className="text-base font-semibold">{title}</Radix.Title>
              {description !== undefined && (
                <Radix.Description asChild>
                  <div className="mt-1 text-muted">{description}</div>
                </Radix.Description>
              )}
            </div>
            <Radix.Close asChild>
              <IconButton icon="close" label={t.close} className="-mt-1 -mr-1.5" />
            </Radix.Close>
          </header>
          <div className="px-5 pt-4 pb-5">{children}</div>
        </Content>
      </Radix.Portal>
    </Radix.Root>
  )
}

/** What has the focus; of a menu that is about to close, the button that opened it. */
function focused(): HTMLElement | null {
  const element = document.activeElement
  const button = element?.closest('[role=menu]')?.getAttribute('aria-labelledby')
  const opener = button == null ? element : document.getElementById(button)
  return opener instanceof HTMLElement ? opener : null
}

/**
 * Gives the focus back to where it was: Radix itself looks only after the first field has taken it. Whoever has gone on
 * meanwhile, to a menu for one, keeps the focus: the menu would close without it.
 */
function Content(props: ComponentProps<typeof Radix.Content>) {
  const [opener] = useState(focused)
  return (
    <Radix.Content
      {...props}
      onCloseAutoFocus={(event) => {
        event.preventDefault()
        const { activeElement } = document
        if (activeElement === null || activeElement === document.body) opener?.focus()
      }}
    />
  )
}

type ConfirmProps = Omit<Props, 'children' | 'wide'> & {
  action: string
  busy: boolean
  onConfirm: () => void
  danger?: boolean
  children?: ReactNode
}

/** Asks before something that can't be taken back. */
export function ConfirmDialog({ action, busy, onConfirm, danger = true, children, ...dialog }: ConfirmProps) {
  const t = useMessages(uiMessages)
  return (
    <Dialog {...dialog}>
      {children}
      <div className="mt-5 flex justify-end gap-2">
        <Button onClick={dialog.onClose}>{t.cancel}</Button>
        <Button kind={danger ? 'danger' : 'primary'} busy={busy} onClick={onConfirm}>
          {action}
        </Button>
      </div>
    </Dialog>
  )
}

/** A panel that slides in from the left: the navigation on a phone. */
export function Drawer({ open, onClose, title, children }: Omit<Props, 'wide' | 'description'>) {
  return (
    <Radix.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-black/40" />
        <Radix.Content
          aria-describedby={undefined}
          className="fixed inset-y-0 left-0 z-50 w-64 overflow-y-auto border-r border-line bg-canvas shadow-float focus:outline-none"
        >
          <Radix.Title className="sr-only">{title}</Radix.Title>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}
