import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useMessages } from '@/lib/i18n'
import { AsOf, Page } from '@/ui/page'
import { Tabs } from '@/ui/tabs'
import { Catalogue } from './catalogue'
import { Fairness } from './fairness'
import { History } from './history'
import { priceMessages } from './messages'
import { pricesQuery } from './queries'
import { Ratios } from './ratios'
import { FACES, type Face, pricesSearch } from './search'

export function PricesPage() {
  const t = useMessages(priceMessages)
  const { show = 'catalogue' } = useSearch({ from: '/app/operator/prices' })
  const navigate = useNavigate({ from: '/operator/prices' })
  const query = useQuery(pricesQuery)
  return (
    <Page title={t.title} description={t.description} asOf={<AsOf position={query.data?.as_of_position} readAt={query.dataUpdatedAt} />}>
      <Tabs
        label={t.faces}
        value={show}
        tabs={FACES.map((face) => ({ value: face, label: t.face[face], content: face === show && <Part face={face} /> }))}
        onChange={(next) => void navigate({ search: pricesSearch({ show: next }), replace: true })}
      />
    </Page>
  )
}

function Part({ face }: { face: Face }) {
  switch (face) {
    case 'catalogue':
      return <Catalogue />
    case 'ratios':
      return <Ratios />
    case 'history':
      return <History />
    case 'fairness':
      return <Fairness />
  }
}
