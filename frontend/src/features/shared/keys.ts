import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { api } from '@/api/client'
import { unwrap } from '@/api/error'
import { atLeast } from '@/api/position'
import { FIRST_PAGE, REFRESH_MS } from '@/api/queries'
import type { components } from '@/api/schema'

export type ApiKey = components['schemas']['ApiKeyItem']
export type KeyBody = components['schemas']['IssueKeyRequest']
export type IssuedKey = components['schemas']['IssuedKeyResponse']

/** The newest keys, for whoever wants to name them. */
export const keysQuery = queryOptions({
  queryKey: ['keys'],
  queryFn: ({ signal }) => unwrap(api.GET('/v1/auth/api-keys', { params: { query: { limit: 200, ...atLeast() } }, signal })),
  refetchInterval: REFRESH_MS,
})

/** All keys, page by page. */
export const keyPagesQuery = infiniteQueryOptions({
  queryKey: ['keys', 'pages'],
  queryFn: ({ pageParam, signal }) => {
    const query = { limit: 100, ...(pageParam !== null && { cursor: pageParam }), ...atLeast() }
    return unwrap(api.GET('/v1/auth/api-keys', { params: { query }, signal }))
  },
  initialPageParam: FIRST_PAGE.cursor,
  getNextPageParam: (page) => page.next_cursor ?? null,
  refetchInterval: (query) => ((query.state.data?.pages.length ?? 0) > 1 ? false : REFRESH_MS),
})

export const issueKey = (body: KeyBody) => unwrap(api.POST('/v1/auth/api-keys', { body }))

export const changeKey = ({ id, body }: { id: string; body: components['schemas']['ChangeKeyRequest'] }) =>
  unwrap(api.PATCH('/v1/auth/api-keys/{id}', { params: { path: { id } }, body }))

export const revokeKey = (id: string) => unwrap(api.DELETE('/v1/auth/api-keys/{id}', { params: { path: { id } } }))

export function keyState(key: ApiKey, now: number): 'active' | 'expired' | 'revoked' {
  if (key.revoked_at != null) return 'revoked'
  return key.expires_at != null && Date.parse(key.expires_at) <= now ? 'expired' : 'active'
}
