import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { type FormEvent, type KeyboardEvent, useState } from 'react'
import { meQuery } from '@/api/queries'
import { useFormat } from '@/lib/format'
import { useMessages } from '@/lib/i18n'
import { Button } from '@/ui/button'
import { Card, Figure, Notice } from '@/ui/card'
import { TextArea, TextField } from '@/ui/field'
import { Money } from '@/ui/money'
import { Page } from '@/ui/page'
import { catalogueQuery } from '../shared/catalogue'
import { playgroundMessages } from './messages'
import { type Run, useRun } from './use-run'

const USUAL_MODEL = 'openai/gpt-4o-mini'
const USUAL_MOST = 400

export function PlaygroundPage() {
  const t = useMessages(playgroundMessages)
  const { model = USUAL_MODEL } = useSearch({ from: '/app/models/playground' })
  const navigate = useNavigate({ from: '/models/playground' })
  const { data: me } = useQuery(meQuery)
  const { data: models } = useQuery(catalogueQuery)
  const [prompt, setPrompt] = useState('')
  const [most, setMost] = useState(String(USUAL_MOST))
  const { run, start, stop } = useRun()
  const running = run.state === 'running'
  const tokens = /^[1-9]\d{0,5}$/.test(most.trim()) ? Number(most) : null
  const ready = tokens !== null && prompt.trim() !== '' && me !== undefined && !running
  const submit = (event?: FormEvent) => {
    event?.preventDefault()
    if (!ready) return
    void start({ model, prompt, most: tokens, owner: me.account_id })
  }
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit()
  }
  return (
    <Page
      title={t.title}
      description={t.description}
      crumb={
        <Link to="/models" className="hover:text-ink">
          ← {t.back}
        </Link>
      }
    >
      <div className="grid items-start gap-4 lg:grid-cols-2">
        <Card>
          <form onSubmit={submit} className="space-y-4">
            <TextField
              label={t.model}
              list="models"
              spellCheck={false}
              autoComplete="off"
              value={model}
              onChange={(event) => void navigate({ search: { model: event.target.value }, replace: true })}
            />
            <datalist id="models">{models?.map(({ id, name }) => <option key={id} value={id} label={name} />)}</datalist>
            <TextArea
              label={t.prompt}
              hint={t.promptHint}
              rows={6}
              value={prompt}
              onChange={(event) => setPrompt(event.target.value)}
              onKeyDown={onKey}
            />
            <div className="flex items-end justify-between gap-3">
              <TextField label={t.most} error={tokens === null ? t.badCount : null} inputMode="numeric" className="w-48" value={most} onChange={(event) => setMost(event.target.value)} />
              {running ? (
                <Button icon="stop" onClick={stop}>
                  {t.stop}
                </Button>
              ) : (
                <Button type="submit" kind="primary" icon="play" disabled={!ready}>
                  {t.send}
                </Button>
              )}
            </div>
          </form>
        </Card>
        <Answer run={run} />
      </div>
    </Page>
  )
}

function Answer({ run }: { run: Run }) {
  const t = useMessages(playgroundMessages)
  return (
    <Card title={t.answer}>
      <div aria-live="polite" aria-busy={run.state === 'running'} className="min-h-40 leading-6 break-words whitespace-pre-wrap">
        {run.text !== '' ? run.text : <span className="text-faint">{run.state === 'running' ? t.waiting : t.nothing}</span>}
      </div>
      {run.state === 'stopped' && (
        <div className="mt-4">
          <Notice tone="warn">{t.stopped}</Notice>
        </div>
      )}
      {run.state === 'failed' && (
        <div className="mt-4">
          <Notice tone="bad">
            {t.failed}
            {run.error !== '' && `: ${run.error}`}
          </Notice>
        </div>
      )}
      {run.state !== 'idle' && <Figures run={run} />}
    </Card>
  )
}

/** Tokens are counted by pieces while they come, and exact once the gateway has told them. */
function Figures({ run }: { run: Run }) {
  const t = useMessages(playgroundMessages)
  const format = useFormat()
  return (
    <dl className="mt-5 grid grid-cols-2 gap-4 border-t border-line pt-4 sm:grid-cols-3" data-testid="figures">
      <Figure label={t.input}>{run.usage === null ? '—' : format.number(run.usage.prompt)}</Figure>
      <Figure label={t.output}>
        {run.usage === null ? t.about(format.number(run.chunks)) : format.number(run.usage.completion)}
      </Figure>
      <Figure label={t.cost}>
        {run.usage?.cost == null ? <span className="text-base font-normal text-muted">{run.state === 'running' ? t.pending : '—'}</span> : <Money value={run.usage.cost} />}
      </Figure>
      <Figure label={t.first}>{run.firstMs === null ? '—' : format.duration(run.firstMs)}</Figure>
      <Figure label={t.total}>{run.totalMs === null ? '—' : format.duration(run.totalMs)}</Figure>
    </dl>
  )
}
