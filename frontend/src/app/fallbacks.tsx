import { type ErrorComponentProps, Link } from '@tanstack/react-router'
import { type ReactNode, useEffect } from 'react'
import { ApiError } from '@/api/error'
import { useTroubleText } from '@/api/trouble'
import { useMessages } from '@/lib/i18n'
import { Button, Spinner, buttonClass } from '@/ui/button'
import { Icon, type IconName } from '@/ui/icon'
import { uiMessages } from '@/ui/messages'
import { appMessages } from './messages'

type Props = { icon: IconName; title: string; advice: string; action: ReactNode; children?: ReactNode }

/** A page instead of the one that was asked for. */
function Instead({ icon, title, advice, action, children }: Props) {
  useEffect(() => {
    document.title = `${title} · Tollgate`
  }, [title])
  return (
    <main className="mx-auto max-w-md px-6 py-24 text-center">
      <Icon name={icon} className="mx-auto mb-4 size-7 text-faint" />
      <h1 className="text-lg font-semibold tracking-tight">{title}</h1>
      <p className="mt-1 mb-5 text-muted">{advice}</p>
      {action}
      {children}
    </main>
  )
}

export function NotFound() {
  const t = useMessages(appMessages)
  const home = (
    <Link to="/" className={buttonClass()}>
      {t.home}
    </Link>
  )
  return <Instead icon="search" title={t.notFound} advice={t.notFoundAdvice} action={home} />
}

/** A page that fell, or the gateway's refusal to say who is here. */
export function Crashed({ error }: ErrorComponentProps) {
  const t = useMessages(appMessages)
  const ui = useMessages(uiMessages)
  const describe = useTroubleText()
  const reload = <Button onClick={() => location.reload()}>{t.reload}</Button>
  if (!(error instanceof ApiError)) return <Instead icon="warning" title={t.crashed} advice={t.crashedAdvice} action={reload} />
  const { title, advice, requestId } = describe(error)
  return (
    <Instead icon="warning" title={title} advice={advice} action={reload}>
      {requestId !== null && (
        <p className="mt-4 text-[0.8125rem] text-muted">
          {ui.requestId} <code className="font-mono">{requestId}</code>
        </p>
      )}
    </Instead>
  )
}

/** While nobody knows yet who is here. */
export function Waiting() {
  const ui = useMessages(uiMessages)
  return (
    <div className="flex min-h-dvh items-center justify-center text-muted" role="status" aria-label={ui.loading}>
      <Spinner />
    </div>
  )
}
