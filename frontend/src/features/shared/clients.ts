import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { api } from '@/api/client'
import { unwrap } from '@/api/error'
import { atLeast } from '@/api/position'
import { FIRST_PAGE, REFRESH_MS } from '@/api/queries'
import type { components } from '@/api/schema'

export type Client = components['schemas']['ClientItem']
export type Master = components['schemas']['MasterAccountItem']

export const clientsQuery = (search: string) =>
  infiniteQueryOptions({
    queryKey: ['clients', 'list', search],
    queryFn: ({ pageParam, signal }) => {
      const query = { limit: 100, ...(search !== '' && { search }), ...(pageParam !== null && { cursor: pageParam }), ...atLeast() }
      return unwrap(api.GET('/v1/admin/clients', { params: { query }, signal }))
    },
    initialPageParam: FIRST_PAGE.cursor,
    getNextPageParam: (page) => page.next_cursor ?? null,
    // Many pages are not read again every few seconds.
    refetchInterval: (query) => ((query.state.data?.pages.length ?? 0) > 1 ? false : REFRESH_MS),
    // What was found before stays in sight until the new answer is there.
    placeholderData: keepPreviousData,
  })

export const mastersQuery = queryOptions({
  queryKey: ['masters'],
  queryFn: ({ signal }) => unwrap(api.GET('/v1/admin/master-accounts', { params: { query: { limit: 200, ...atLeast() } }, signal })),
  refetchInterval: REFRESH_MS,
})

/** What a customer is called: by name, by address, or by account where neither is known. */
export function nameOf(client: { name?: string | null; email?: string | null; account_id: string }): string {
  return [client.name, client.email].find((text) => text != null && text !== '') ?? client.account_id
}
