import { recall, remember } from '@/lib/kept'
import { store } from '@/lib/store'

/**
 * Who is signed in. The access token lives in this module's memory and nowhere else; the refresh token is an HttpOnly
 * cookie that no script can read. The gateway takes that cookie only together with a header, which another site's form
 * cannot send.
 */
export const SESSION_HEADER = { 'X-Tollgate-Session': 'cookie' }

type Session = { token: string; expiresAt: number }

const session = store<Session | null>(null)
const ended = new Set<() => void>()

/** Asking with a token that is about to expire is asking twice. */
const MARGIN_MS = 20_000

export function adopt(tokens: { access_token: string; expires_in: number }): void {
  remember('signed-in', '1')
  session.set({ token: tokens.access_token, expiresAt: Date.now() + tokens.expires_in * 1_000 })
}

/** Forgets the session; `silent` where the reader signed out. */
export function drop(silent = false): void {
  const had = session.get() !== null || recall('signed-in') !== null
  remember('signed-in', null)
  session.set(null)
  if (had && !silent) for (const tell of ended) tell()
}

/** Called when a session ends that nobody ended here. */
export function onEnded(listener: () => void): () => void {
  ended.add(listener)
  return () => ended.delete(listener)
}

/** Whether somebody signed in on this browser and did not sign out. */
export function wasSignedIn(): boolean {
  return recall('signed-in') !== null
}

let refreshing: Promise<string | null> | null = null

async function exchange(): Promise<string | null> {
  const response = await fetch('/v1/auth/refresh', { method: 'POST', headers: SESSION_HEADER })
  if (response.status === 400 || response.status === 401) return null
  if (!response.ok) throw new Error('the session could not be renewed')
  const tokens: unknown = await response.json()
  if (!isTokens(tokens)) return null
  adopt(tokens)
  return tokens.access_token
}

function isTokens(value: unknown): value is { access_token: string; expires_in: number } {
  return typeof value === 'object' && value !== null && 'access_token' in value && 'expires_in' in value
}

/** One renewal at a time, over all tabs where the browser can: two at once would look like a stolen cookie. */
async function renew(): Promise<string | null> {
  const locks: LockManager | undefined = 'locks' in navigator ? navigator.locks : undefined
  return locks === undefined ? exchange() : locks.request('tollgate-refresh', exchange)
}

/** A token to send; null where nobody is signed in. `stale` is one that was refused. */
export async function accessToken(stale?: string): Promise<string | null> {
  const present = session.get()
  if (present !== null && present.token !== stale && present.expiresAt - MARGIN_MS > Date.now()) return present.token
  // Without a sign-in on this browser there is no cookie, and no reason to ask.
  if (present === null && recall('signed-in') === null) return null
  refreshing ??= renew().finally(() => {
    refreshing = null
  })
  const token = await refreshing
  // When a page begins, its guard leads to the sign-in; later, whoever listens does.
  if (token === null) drop(present === null)
  return token
}
