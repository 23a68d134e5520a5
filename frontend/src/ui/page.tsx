import { type ReactNode, useEffect } from 'react'
import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { useNow } from '@/lib/now'
import { uiMessages } from './messages'

type Props = {
  title: string
  /** Above the title: where this page belongs to. */
  crumb?: ReactNode
  description?: ReactNode
  actions?: ReactNode
  asOf?: ReactNode
  children: ReactNode
}

/** The frame of every page: its title, since when it is true, what can be done, and the content. */
export function Page({ title, crumb, description, actions, asOf, children }: Props) {
  useEffect(() => {
    document.title = `${title} · Tollgate`
  }, [title])
  return (
    <div className="mx-auto w-full max-w-6xl px-4 pt-6 pb-16 sm:px-6 lg:px-8">
      <header className="mb-5 flex flex-wrap items-end gap-x-4 gap-y-3">
        <div className="min-w-0 flex-1 basis-64">
          {crumb !== undefined && <div className="mb-1 text-[0.8125rem] text-muted">{crumb}</div>}
          <h1 className="text-[1.375rem] leading-7 font-semibold tracking-tight">{title}</h1>
          {description !== undefined && <p className="mt-1 max-w-2xl text-pretty text-muted">{description}</p>}
          {asOf !== undefined && <div className="mt-1">{asOf}</div>}
        </div>
        {actions !== undefined && <div className="no-print flex flex-wrap items-center gap-2">{actions}</div>}
      </header>
      <div className="space-y-4">{children}</div>
    </div>
  )
}

/** Up to which event of the books a page is true, and when that was read. */
export function AsOf({ position, readAt }: { position: number | undefined; readAt: number }) {
  const t = useMessages(uiMessages)
  const format = useFormat()
  const now = useNow(1_000)
  // The line keeps its height while nothing is known, so that nothing jumps.
  if (position === undefined) return <p className="h-5" />
  return (
    <p className="nums text-[0.8125rem] text-faint" title={t.asOfTitle} data-as-of={position}>
      {t.asOf(format.number(position), format.ago(readAt, now))}
    </p>
  )
}
