import { queryOptions } from '@tanstack/react-query'
import { api } from '@/api/client'
import { unwrap } from '@/api/error'
import { atLeast } from '@/api/position'
import { REFRESH_MS } from '@/api/queries'
import type { components } from '@/api/schema'

export type ApiKey = components['schemas']['ApiKeyItem']
export type KeyBody = components['schemas']['IssueKeyRequest']
export type IssuedKey = components['schemas']['IssuedKeyResponse']

export const keysQuery = queryOptions({
  queryKey: ['keys'],
  queryFn: ({ signal }) => unwrap(api.GET('/v1/auth/api-keys', { params: { query: { limit: 200, ...atLeast() } }, signal })),
  refetchInterval: REFRESH_MS,
})

export const issueKey = (body: KeyBody) => unwrap(api.POST('/v1/auth/api-keys', { body }))

export const changeKey = ({ id, body }: { id: string; body: components['schemas']['ChangeKeyRequest'] }) =>
  unwrap(api.PATCH('/v1/auth/api-keys/{id}', { params: { path: { id } }, body }))

export const revokeKey = (id: string) => unwrap(api.DELETE('/v1/auth/api-keys/{id}', { params: { path: { id } } }))

export function keyState(key: ApiKey, now: number): 'active' | 'expired' | 'revoked' {
  if (key.revoked_at != null) return 'revoked'
  return key.expires_at != null && Date.parse(key.expires_at) <= now ? 'expired' : 'active'
}
