import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { api } from '@/api/client'
import { unwrap } from '@/api/error'
import { atLeast } from '@/api/position'
import { FIRST_PAGE, REFRESH_MS } from '@/api/queries'
import type { components } from '@/api/schema'

export type Client = components['schemas']['ClientItem']
export type Master = components['schemas']['MasterAccountItem']

const PAGE = 200

export const clientsQuery = infiniteQueryOptions({
  queryKey: ['clients'],
  queryFn: ({ pageParam, signal }) => {
    const query = { limit: PAGE, ...(pageParam !== null && { cursor: pageParam }), ...atLeast() }
    return unwrap(api.GET('/v1/admin/clients', { params: { query }, signal }))
  },
  initialPageParam: FIRST_PAGE.cursor,
  getNextPageParam: (page) => page.next_cursor ?? null,
  // Many pages are not read again every few seconds.
  refetchInterval: (query) => ((query.state.data?.pages.length ?? 0) > 1 ? false : REFRESH_MS),
})

export const mastersQuery = queryOptions({
  queryKey: ['masters'],
  queryFn: ({ signal }) => unwrap(api.GET('/v1/admin/master-accounts', { params: { query: { limit: PAGE, ...atLeast() } }, signal })),
  refetchInterval: REFRESH_MS,
})

/** What a customer is called: by name, by address, or by account where neither is known. */
export function nameOf(client: { name?: string | null; email?: string | null; account_id: string }): string {
  return [client.name, client.email].find((text) => text != null && text !== '') ?? client.account_id
}
