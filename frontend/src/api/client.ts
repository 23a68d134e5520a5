import createClient from 'openapi-fetch'
import { currentLanguage } from '@/lib/i18n'
import { SESSION_HEADER, accessToken } from './session'
import type { paths } from './schema'

/** Sends a request as whoever is signed in; an expired session is renewed once and the request sent again. */
export async function send(request: Request): Promise<Response> {
  const again = request.clone()
  request.headers.set('Accept-Language', currentLanguage())
  again.headers.set('Accept-Language', currentLanguage())
  const path = new URL(request.url).pathname
  if (OPEN.has(path)) {
    for (const [name, value] of Object.entries(SESSION_HEADER)) request.headers.set(name, value)
    return fetch(request)
  }
  if (request.headers.has('Authorization')) return fetch(request)
  const token = await accessToken()
  if (token !== null) request.headers.set('Authorization', `Bearer ${token}`)
  if (path === '/v1/auth/logout') request.headers.set('X-Tollgate-Session', 'cookie')
  const response = await fetch(request)
  if (response.status !== 401 || token === null) return response
  // A wrong old password is a 401 too: only what is said about the token is a reason to renew it.
  const problem: unknown = await response.clone().json().catch(() => null)
  if (!speaksOfToken(problem)) return response
  const renewed = await accessToken(token)
  if (renewed === null) return response
  again.headers.set('Authorization', `Bearer ${renewed}`)
  return fetch(again)
}

/** What is asked before anybody is signed in. */
const OPEN = new Set([
  '/v1/auth/login',
  '/v1/auth/register',
  '/v1/auth/password-reset',
  '/v1/auth/password-reset/confirm',
  '/v1/auth/email-verification',
  '/v1/auth/email-verification/confirm',
])

const TOKEN_CODES = new Set(['token_expired', 'not_signed_in', 'session_ended'])

function speaksOfToken(problem: unknown): boolean {
  if (typeof problem !== 'object' || problem === null || !('code' in problem)) return false
  return typeof problem.code === 'string' && TOKEN_CODES.has(problem.code)
}

/** The gateway, typed by its own document. */
export const api = createClient<paths>({ baseUrl: globalThis.location?.origin ?? '', fetch: send })
