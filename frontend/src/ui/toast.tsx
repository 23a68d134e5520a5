import * as Radix from '@radix-ui/react-toast'
import { useMessages } from '@/lib/i18n'
import { store, useStore } from '@/lib/store'
import { IconButton } from './button'
import { uiMessages } from './messages'

type Note = { id: number; text: string; tone: 'good' | 'bad' }

const notes = store<readonly Note[]>([])
let last = 0

/** Says that something is done, in the corner, for a few seconds. */
export function toast(text: string, tone: Note['tone'] = 'good'): void {
  last += 1
  notes.set([...notes.get().slice(-2), { id: last, text, tone }])
}

function remove(id: number): void {
  notes.set(notes.get().filter((note) => note.id !== id))
}

export function Toasts() {
  const t = useMessages(uiMessages)
  const shown = useStore(notes)
  return (
    <Radix.Provider duration={5_000} label={t.notifications}>
      {shown.map((note) => (
        <Radix.Root
          key={note.id}
          onOpenChange={(open) => !open && remove(note.id)}
          className="flex items-center gap-2 rounded-lg border border-line bg-surface py-2 pr-2 pl-4 shadow-float"
        >
          <span className={`size-2 shrink-0 rounded-full ${note.tone === 'good' ? 'bg-good' : 'bg-bad'}`} aria-hidden="true" />
          <Radix.Description className="min-w-0 flex-1">{note.text}</Radix.Description>
          <Radix.Close asChild>
            <IconButton icon="close" label={t.close} />
          </Radix.Close>
        </Radix.Root>
      ))}
      <Radix.Viewport
        label={`${t.notifications} ({hotkey})`}
        className="no-print fixed right-4 bottom-4 z-60 flex w-88 max-w-[calc(100vw-2rem)] flex-col gap-2"
      />
    </Radix.Provider>
  )
}
