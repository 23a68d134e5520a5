import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { api } from '@/api/client'
import { unwrap } from '@/api/error'
import { atLeast } from '@/api/position'
import { REFRESH_MS } from '@/api/queries'
import type { components } from '@/api/schema'
import { moments } from '@/lib/days'
import type { Range } from '../shared/usage'

export type ProfitLine = components['schemas']['ProfitItem']
export type Face = 'day' | 'model' | 'account' | 'master_account'

export const profitQuery = (group_by: Face, { from, to }: Range) =>
  queryOptions({
    queryKey: ['profit', group_by, from, to],
    queryFn: ({ signal }) => unwrap(api.GET('/v1/admin/profit', { params: { query: { group_by, ...moments(from, to), ...atLeast() } }, signal })),
    refetchInterval: REFRESH_MS,
    placeholderData: keepPreviousData,
  })
