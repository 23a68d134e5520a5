import { useQuery } from '@tanstack/react-query'
import { meQuery } from '@/api/queries'
import { useAsked } from '@/api/trouble'
import { useMessages } from '@/lib/i18n'
import { Card } from '@/ui/card'
import { Page } from '@/ui/page'
import { Skeleton, Stateful } from '@/ui/state'
import { SpendingLimits } from './limits'
import { settingsMessages } from './messages'
import { Appearance, LowBalance, Profile } from './profile'
import { limitsQuery } from './queries'
import { Password, Sessions } from './security'

export function SettingsPage() {
  const t = useMessages(settingsMessages)
  const me = useAsked(useQuery(meQuery), (data) => data)
  return (
    <Page title={t.title}>
      <Appearance />
      <Stateful of={me} skeleton={<Card><Skeleton lines={6} /></Card>}>
        {(data) => (
          <div className="grid items-start gap-4 lg:grid-cols-2">
            <Profile me={data} />
            <Password email={data.email} />
            {data.role !== 'auditor' && <LowBalance me={data} />}
            {data.role !== 'auditor' && <Limits />}
          </div>
        )}
      </Stateful>
      <Sessions />
    </Page>
  )
}

function Limits() {
  const limits = useAsked(useQuery(limitsQuery), (data) => data)
  return (
    <Stateful of={limits} skeleton={<Card><Skeleton lines={3} /></Card>}>
      {(data) => <SpendingLimits limits={data} />}
    </Stateful>
  )
}
