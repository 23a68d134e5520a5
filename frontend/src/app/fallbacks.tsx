import { Link } from '@tanstack/react-router'
import { type ReactNode, useEffect } from 'react'
import { useMessages } from '@/lib/i18n'
import { Button, buttonClass } from '@/ui/button'
import { Icon, type IconName } from '@/ui/icon'
import { appMessages } from './messages'

type Props = { icon: IconName; title: string; advice: string; action: ReactNode }

/** A page instead of the one that was asked for. */
function Instead({ icon, title, advice, action }: Props) {
  useEffect(() => {
    document.title = `${title} · Tollgate`
  }, [title])
  return (
    <main className="mx-auto max-w-md px-6 py-24 text-center">
      <Icon name={icon} className="mx-auto mb-4 size-7 text-faint" />
      <h1 className="text-lg font-semibold tracking-tight">{title}</h1>
      <p className="mt-1 mb-5 text-muted">{advice}</p>
      {action}
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

export function Crashed() {
  const t = useMessages(appMessages)
  const reload = <Button onClick={() => location.reload()}>{t.reload}</Button>
  return <Instead icon="warning" title={t.crashed} advice={t.crashedAdvice} action={reload} />
}
