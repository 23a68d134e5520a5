import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { api } from '@/api/client'
import { unwrap } from '@/api/error'
import { atLeast } from '@/api/position'
import { FIRST_PAGE, REFRESH_MS } from '@/api/queries'
import type { components } from '@/api/schema'

export type Movement = components['schemas']['ClientMovementItem']
export type Statement = components['schemas']['StatementResponse']

export const movementsQuery = infiniteQueryOptions({
  queryKey: ['movements'],
  queryFn: ({ pageParam, signal }) => {
    const query = { limit: 50, ...(pageParam !== null && { cursor: pageParam }), ...atLeast() }
    return unwrap(api.GET('/v1/client/top-ups', { params: { query }, signal }))
  },
  initialPageParam: FIRST_PAGE.cursor,
  getNextPageParam: (page) => page.next_cursor ?? null,
  refetchInterval: REFRESH_MS,
})

export const statementQuery = (month: string) =>
  queryOptions({
    queryKey: ['statement', month],
    queryFn: ({ signal }) =>
      unwrap(api.GET('/v1/client/statements/{month}', { params: { path: { month }, query: atLeast() }, signal })),
    refetchInterval: REFRESH_MS,
    placeholderData: keepPreviousData,
  })
