import { Link } from '@tanstack/react-router'
import { useMessages } from '@/lib/i18n'
import { Button, buttonClass } from '@/ui/button'
import { Empty } from '@/ui/state'
import { appMessages } from './messages'

export function NotFound() {
  const t = useMessages(appMessages)
  return (
    <Empty icon="search" title={t.notFound} action={<Link to="/" className={buttonClass()}>{t.home}</Link>}>
      {t.notFoundAdvice}
    </Empty>
  )
}

export function Crashed() {
  const t = useMessages(appMessages)
  return (
    <Empty icon="warning" title={t.crashed} action={<Button onClick={() => location.reload()}>{t.reload}</Button>}>
      {t.crashedAdvice}
    </Empty>
  )
}
