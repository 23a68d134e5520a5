import type { ReactNode } from 'react'
import { useMessages } from '@/lib/i18n'
import { Button } from './button'
import { Icon, type IconName } from './icon'
import { uiMessages } from './messages'

/** What went wrong, in words for the reader, and whether it may succeed when it is tried again. */
export type Trouble = { title: string; advice: string; requestId: string | null; again: boolean }

/** The part of a query that the states of a list are made of. */
export type Asked<T> = {
  data: T | undefined
  isPending: boolean
  trouble: Trouble | null
  retry: () => void
}

type Props<T> = {
  of: Asked<T>
  /** Shown while nothing is known yet; else lines that pulse. */
  skeleton?: ReactNode
  isEmpty?: (data: T) => boolean
  empty?: ReactNode
  children: (data: T) => ReactNode
}

/**
 * The one place that decides between loading, error, empty and there. What was read before stays while newer data is on
 * its way or can't be had: then the trouble is told above it.
 */
export function Stateful<T>({ of, skeleton, isEmpty, empty, children }: Props<T>) {
  if (of.data === undefined) {
    if (of.trouble !== null) return <TroubleBox trouble={of.trouble} retry={of.retry} />
    return skeleton ?? <Skeleton />
  }
  if (isEmpty?.(of.data) === true && of.trouble === null) return empty
  return (
    <>
      {of.trouble !== null && <TroubleBox trouble={of.trouble} retry={of.retry} slim />}
      {children(of.data)}
    </>
  )
}

export function Skeleton({ lines = 4 }: { lines?: number }) {
  const t = useMessages(uiMessages)
  return (
    <div className="space-y-3 p-5" role="status" aria-label={t.loading}>
      {Array.from({ length: lines }, (_, line) => (
        <div key={line} className={`skeleton h-4 ${line % 3 === 2 ? 'w-2/3' : 'w-full'}`} />
      ))}
    </div>
  )
}

/** As high as a chart with its figures, so that nothing below it jumps. */
export function ChartSkeleton() {
  const t = useMessages(uiMessages)
  return <div className="skeleton h-[17.25rem]" role="status" aria-label={t.loading} />
}

export function TroubleBox({ trouble, retry, slim = false }: { trouble: Trouble; retry?: () => void; slim?: boolean }) {
  const t = useMessages(uiMessages)
  return (
    <div role="alert" className={slim ? 'flex flex-wrap items-center gap-3 rounded-lg bg-bad-soft px-4 py-2.5 text-bad' : 'px-6 py-10 text-center'}>
      {!slim && <Icon name="warning" className="mx-auto mb-3 size-6 text-bad" />}
      <div className="min-w-0 flex-1">
        <p className="font-medium">{trouble.title}</p>
        {trouble.advice !== '' && <p className={slim ? '' : 'mx-auto mt-1 max-w-prose text-muted'}>{trouble.advice}</p>}
        {trouble.requestId !== null && trouble.again && (
          <p className={slim ? 'text-[0.8125rem]' : 'mt-2 text-[0.8125rem] text-muted'}>
            {t.requestId} <code className="font-mono">{trouble.requestId}</code>
          </p>
        )}
      </div>
      {retry !== undefined && trouble.again && (
        <Button small onClick={retry} className={slim ? '' : 'mt-4'}>
          {t.tryAgain}
        </Button>
      )}
    </div>
  )
}

/** Nothing is here yet: says what would be, and how it comes. */
export function Empty({ icon, title, children, action }: { icon: IconName; title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="px-6 py-12 text-center">
      <Icon name={icon} className="mx-auto mb-3 size-6 text-faint" />
      <p className="font-medium">{title}</p>
      {children !== undefined && <div className="mx-auto mt-1 max-w-prose text-muted">{children}</div>}
      {action !== undefined && <div className="mt-4">{action}</div>}
    </div>
  )
}
