import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useAsked } from '@/api/trouble'
import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { Button } from '@/ui/button'
import { Card, Facts } from '@/ui/card'
import { Skeleton, Stateful } from '@/ui/state'
import { CommandDialog } from '../shared/command'
import { useMayChange } from '../shared/role'
import { useReason } from './dialogs'
import { priceMessages } from './messages'
import { type Policy, type Treatment, policyQuery, setPolicy } from './queries'

const TREATMENTS = ['charge_billed', 'charge_delivered', 'waive'] as const
const CASES = [
  'client_left', 'stream_broke', 'error_with_usage', 'error_without_usage', 'usage_missing', 'error_under_200', 'malformed_stream',
  'wrong_content_type', 'answer_broke', 'timed_out', 'gateway_stopped', 'ended_elsewhere',
] as const

/** What is charged when a request goes wrong. */
export function Fairness() {
  const t = useMessages(priceMessages)
  const format = useFormat()
  const [changing, setChanging] = useState(false)
  const change = useMayChange()
  const policy = useAsked(useQuery(policyQuery), (data) => data)
  return (
    <Card
      title={t.face.fairness}
      actions={
        change && policy.data !== undefined && (
          <Button small icon="edit" onClick={() => setChanging(true)}>
            {t.fairnessChange}
          </Button>
        )
      }
    >
      <Stateful of={policy} skeleton={<Skeleton lines={8} />}>
        {(data) => (
          <>
            <p className="mb-2 text-muted">
              {t.fairnessText} {data.version === 0 ? t.version0 : t.versionN(format.number(data.version))}
            </p>
            <Facts
              rows={[
                ...CASES.map((one) => {
                  const treatment = data.cases[one]
                  return treatment === undefined ? null : ([t.cases[one], t.treatments[treatment]] as const)
                }),
                [t.everything, t.treatments[data.everything]],
              ]}
            />
            {changing && <PolicyDialog policy={data} onClose={() => setChanging(false)} />}
          </>
        )}
      </Stateful>
    </Card>
  )
}

function treatment(text: string): Treatment | undefined {
  return TREATMENTS.find((known) => known === text)
}

function PolicyDialog({ policy, onClose }: { policy: Policy; onClose: () => void }) {
  const t = useMessages(priceMessages)
  const reason = useReason()
  const options = TREATMENTS.map((value) => ({ value, label: t.treatments[value] }))
  return (
    <CommandDialog
      title={t.fairnessChange}
      description={t.fairnessText}
      action={t.save}
      onClose={onClose}
      fields={[
        { name: 'everything', label: t.everything, kind: 'select', options, initial: policy.everything },
        ...CASES.map((name) => ({
          name,
          label: t.cases[name],
          kind: 'select' as const,
          optional: true,
          options: [{ value: '', label: t.asElse }, ...options],
          initial: policy.cases[name] === policy.everything ? '' : (policy.cases[name] ?? ''),
        })),
        reason,
      ]}
      run={(v, key) => {
        const cases: Policy['cases'] = {}
        for (const name of CASES) {
          const chosen = treatment(v.text(name))
          if (chosen !== undefined) cases[name] = chosen
        }
        const everything = treatment(v.text('everything')) ?? policy.everything
        return setPolicy(key, { everything, cases, reason: v.text('reason') })
      }}
    />
  )
}
