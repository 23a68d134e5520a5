import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useMessages } from '@/lib/i18n'
import { buttonClass } from '@/ui/button'
import { Card } from '@/ui/card'
import { CodeBlock } from '@/ui/code'
import { Tabs } from '@/ui/tabs'
import { overviewMessages } from './messages'
import { snippets } from './snippets'

type Tool = 'curl' | 'python' | 'node'

/** What to do before the first request has arrived. */
export function FirstSteps() {
  const t = useMessages(overviewMessages)
  const [tool, setTool] = useState<Tool>('curl')
  const code = snippets(`${location.origin}/v1`)
  const tab = (value: Tool, label: string) => ({
    value,
    label,
    content: <CodeBlock code={code[value]} label={`${t.snippet}: ${label}`} />,
  })
  return (
    <Card title={t.first}>
      <p className="mb-4 max-w-prose text-muted">{t.firstText}</p>
      <ol className="space-y-5">
        <Step number={1} title={t.step1}>
          <Link to="/keys" search={{ new: true }} className={buttonClass('primary')}>
            {t.createKey}
          </Link>
        </Step>
        <Step number={2} title={t.step2}>
          <CodeBlock code="export TOLLGATE_API_KEY=sk-tg-…" label={t.step2} />
        </Step>
        <Step number={3} title={t.step3}>
          <Tabs
            label={t.snippet}
            value={tool}
            onChange={setTool}
            tabs={[tab('curl', 'curl'), tab('python', 'Python'), tab('node', 'Node')]}
          />
        </Step>
      </ol>
    </Card>
  )
}

function Step({ number, title, children }: { number: number; title: string; children: React.ReactNode }) {
  return (
    <li className="grid grid-cols-[1.75rem_1fr] gap-x-2">
      <span className="nums flex size-5 items-center justify-center rounded-full bg-accent-soft text-2xs font-semibold text-accent-strong">
        {number}
      </span>
      <div className="min-w-0">
        <p className="mb-2 font-medium">{title}</p>
        {children}
      </div>
    </li>
  )
}
