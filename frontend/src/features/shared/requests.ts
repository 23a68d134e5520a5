import { queryOptions } from '@tanstack/react-query'
import { api } from '@/api/client'
import { unwrap } from '@/api/error'
import { atLeast } from '@/api/position'
import type { components } from '@/api/schema'

export type RequestItem = components['schemas']['ClientRequestItem']

export const latestQuery = queryOptions({
  queryKey: ['requests', 'latest'],
  queryFn: ({ signal }) =>
    unwrap(api.GET('/v1/client/recent-requests', { params: { query: { limit: 8, ...atLeast() } }, signal })),
  refetchInterval: 3_000,
})
