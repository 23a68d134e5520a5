import { infiniteQueryOptions } from '@tanstack/react-query'
import { api } from '@/api/client'
import { unwrap } from '@/api/error'
import { atLeast } from '@/api/position'
import { FIRST_PAGE, REFRESH_MS } from '@/api/queries'
import type { components } from '@/api/schema'

export type Decision = components['schemas']['ActionItem']
export type TrailEntry = components['schemas']['TrailEntry']

const page = (cursor: string | null, subject: string | undefined) => ({
  limit: 50,
  ...(cursor !== null && { cursor }),
  ...(subject !== undefined && { subject }),
})
const seldom = (pages: number | undefined) => ((pages ?? 0) > 1 ? (false as const) : REFRESH_MS)

export const decisionsQuery = (about: string | undefined) =>
  infiniteQueryOptions({
    queryKey: ['actions', 'books', about],
    queryFn: ({ pageParam, signal }) =>
      unwrap(api.GET('/v1/admin/actions', { params: { query: { ...page(pageParam, about), ...atLeast() } }, signal })),
    initialPageParam: FIRST_PAGE.cursor,
    getNextPageParam: (last) => last.next_cursor ?? null,
    refetchInterval: (query) => seldom(query.state.data?.pages.length),
  })

export const trailQuery = (about: string | undefined) =>
  infiniteQueryOptions({
    queryKey: ['actions', 'people', about],
    queryFn: ({ pageParam, signal }) => unwrap(api.GET('/v1/admin/audit-trail', { params: { query: page(pageParam, about) }, signal })),
    initialPageParam: FIRST_PAGE.cursor,
    getNextPageParam: (last) => last.next_cursor ?? null,
    refetchInterval: (query) => seldom(query.state.data?.pages.length),
  })
