import { useQuery } from '@tanstack/react-query'
import { balanceQuery } from '@/api/queries'
import { useMessages, messages } from '@/lib/i18n'
import { AsOf, Page } from '@/ui/page'

const words = messages({ title: 'Overview' }, { title: 'Обзор' })

export function OverviewPage() {
  const t = useMessages(words)
  const balance = useQuery(balanceQuery)
  return (
    <Page title={t.title} asOf={<AsOf position={balance.data?.as_of_position} readAt={balance.dataUpdatedAt} />}>
      <p />
    </Page>
  )
}
