import { useEffect, useState } from 'react'
import { send } from '@/api/client'
import { ApiError } from '@/api/error'
import { cut } from '../playground/stream'
import { type Picture, pause, pictureOf, remember } from './stream'

export type Live = { seen: readonly Picture[]; connected: boolean; error: ApiError | null }

/** The server's own stream, asked for again when it ends: with the token of the session, which no `EventSource` could send. */
export function useLive(): Live & { retry: () => void } {
  const [live, setLive] = useState<Live>({ seen: [], connected: false, error: null })
  const [attempt, setAttempt] = useState(0)
  useEffect(() => {
    const stop = new AbortController()
    const onPicture = (picture: Picture) =>
      setLive(({ seen }) => ({ seen: remember(seen, picture), connected: true, error: null }))
    void watch(stop.signal, onPicture, (error) => setLive(({ seen }) => ({ seen, connected: false, error })))
    return () => stop.abort()
  }, [attempt])
  return { ...live, retry: () => setAttempt(attempt + 1) }
}

async function watch(signal: AbortSignal, onPicture: (picture: Picture) => void, onEnd: (error: ApiError | null) => void) {
  let failures = 0
  while (!signal.aborted) {
    try {
      await read(signal, (picture) => {
        failures = 0
        onPicture(picture)
      })
      if (!signal.aborted) onEnd(null)
    } catch (cause) {
      if (signal.aborted) return
      onEnd(cause instanceof ApiError ? cause : new ApiError(0, {}))
    }
    await wait(pause(failures), signal)
    failures += 1
  }
}

async function read(signal: AbortSignal, onPicture: (picture: Picture) => void) {
  const response = await send(new Request(new URL('/v1/admin/live', location.origin), { signal }))
  if (!response.ok || response.body === null) throw new ApiError(response.status, {}, response.headers)
  const reader = response.body.getReader()
  const decoder = new TextDecoder()
  let buffer = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const { events, rest } = cut(buffer + decoder.decode(value, { stream: true }))
    buffer = rest
    for (const event of events) {
      const picture = pictureOf(event)
      if (picture !== null) onPicture(picture)
    }
  }
}

function wait(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
