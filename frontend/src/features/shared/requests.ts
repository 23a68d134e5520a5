import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { api } from '@/api/client'
import { unwrap } from '@/api/error'
import { atLeast } from '@/api/position'
import { FIRST_PAGE, REFRESH_MS } from '@/api/queries'
import type { components, operations } from '@/api/schema'

export type RequestItem = components['schemas']['ClientRequestItem']
export type Explanation = components['schemas']['RequestExplanation']
export type Filter = Omit<NonNullable<operations['list_requests']['parameters']['query']>, 'cursor' | 'limit' | 'at_least'>

const LATEST = 8
const FIRST = 100
/** Whoever scrolls on wants more at once. */
const NEXT = 200

export const latestQuery = queryOptions({
  queryKey: ['requests', 'latest'],
  queryFn: ({ signal }) => unwrap(api.GET('/v1/client/requests', { params: { query: { limit: LATEST, ...atLeast() } }, signal })),
  refetchInterval: 3_000,
})

/** The newest requests that fit, page after page as they are scrolled to. */
export const requestsQuery = (filter: Filter) =>
  infiniteQueryOptions({
    queryKey: ['requests', 'log', filter],
    queryFn: ({ pageParam, signal }) => {
      const query = {
        ...filter,
        limit: pageParam === null ? FIRST : NEXT,
        ...(pageParam !== null && { cursor: pageParam }),
        ...atLeast(),
      }
      return unwrap(api.GET('/v1/client/requests', { params: { query }, signal }))
    },
    initialPageParam: FIRST_PAGE.cursor,
    getNextPageParam: (page) => page.next_cursor ?? null,
    // A long log that was scrolled far is not read again from its beginning every few seconds.
    refetchInterval: (query) => ((query.state.data?.pages.length ?? 0) > 1 ? false : REFRESH_MS),
    refetchOnWindowFocus: false,
  })

export const explanationQuery = (id: string) =>
  queryOptions({
    queryKey: ['requests', 'one', id],
    queryFn: ({ signal }) =>
      unwrap(api.GET('/v1/client/requests/{id}', { params: { path: { id }, query: atLeast() }, signal })),
    refetchInterval: REFRESH_MS,
  })
