import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { api } from '@/api/client'
import { ApiError, unwrap } from '@/api/error'
import { noteWritten } from '@/api/position'
import { currentLanguage } from '@/lib/i18n'
import { type Money, money } from '@/lib/money'
import { pieces } from './stream'

const DAILY_LIMIT = money('0.5')
const HOUR_MS = 3_600_000
/** A key that is about to expire is replaced before it is used. */
const MARGIN_MS = 60_000

/** The key of this page: never stored, gone with the page. */
let key: { text: string; owner: string; until: number } | null = null

async function playgroundKey(owner: string): Promise<string> {
  const now = Date.now()
  if (key !== null && key.owner === owner && key.until - MARGIN_MS > now) return key.text
  const until = now + HOUR_MS
  const body = { name: 'Playground', limit_usd: DAILY_LIMIT, period: 'day' as const, expires_at: new Date(until).toISOString() }
  const issued = await unwrap(api.POST('/v1/auth/api-keys', { body }))
  noteWritten(issued)
  key = { text: issued.key, owner, until }
  return issued.key
}

export type Run = {
  state: 'idle' | 'running' | 'done' | 'stopped' | 'failed'
  text: string
  chunks: number
  usage: { prompt: number; completion: number; cost: Money | null } | null
  firstMs: number | null
  totalMs: number | null
  error: string
}

const IDLE: Run = { state: 'idle', text: '', chunks: 0, usage: null, firstMs: null, totalMs: null, error: '' }

export type Ask = { model: string; prompt: string; most: number; owner: string }

function messageIn(body: unknown): string {
  if (typeof body !== 'object' || body === null || !('error' in body)) return ''
  const { error } = body
  if (typeof error !== 'object' || error === null || !('message' in error)) return ''
  return typeof error.message === 'string' ? error.message : ''
}

/** One request at a time, streamed. */
export function useRun() {
  const client = useQueryClient()
  const [run, setRun] = useState<Run>(IDLE)
  const abort = useRef<AbortController | null>(null)
  useEffect(() => () => abort.current?.abort(), [])

  const start = async ({ model, prompt, most, owner }: Ask) => {
    abort.current?.abort()
    const control = new AbortController()
    abort.current = control
    const began = performance.now()
    const passed = () => Math.round(performance.now() - began)
    setRun({ ...IDLE, state: 'running' })
    try {
      const secret = await playgroundKey(owner)
      const response = await fetch('/v1/chat/completions', {
        method: 'POST',
        headers: { Authorization: `Bearer ${secret}`, 'Content-Type': 'application/json', 'Accept-Language': currentLanguage() },
        body: JSON.stringify({
          model,
          messages: [{ role: 'user', content: prompt }],
          max_tokens: most,
          stream: true,
          stream_options: { include_usage: true },
        }),
        signal: control.signal,
      })
      if (!response.ok || response.body === null) {
        throw new ApiError(response.status, { detail: messageIn(await response.json().catch(() => null)) })
      }
      for await (const piece of pieces(response.body)) {
        if (piece.kind === 'text') {
          setRun((was) => ({ ...was, text: was.text + piece.text, chunks: was.chunks + 1, firstMs: was.firstMs ?? passed() }))
        } else if (piece.kind === 'usage') setRun((was) => ({ ...was, usage: piece }))
        else throw new ApiError(502, { detail: piece.message })
      }
      setRun((was) => ({ ...was, state: 'done', totalMs: passed() }))
    } catch (error) {
      const state = control.signal.aborted ? 'stopped' : 'failed'
      setRun((was) => ({ ...was, state, totalMs: passed(), error: error instanceof Error ? error.message : '' }))
    } finally {
      void client.invalidateQueries()
    }
  }
  return { run, start, stop: () => abort.current?.abort() }
}
