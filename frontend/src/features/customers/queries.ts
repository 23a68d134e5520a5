import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { api } from '@/api/client'
import { unwrap } from '@/api/error'
import { atLeast } from '@/api/position'
import { FIRST_PAGE, REFRESH_MS } from '@/api/queries'
import type { components } from '@/api/schema'
import { moments } from '@/lib/days'
import type { Range } from '../shared/usage'

export type ClientDetail = components['schemas']['ClientDetail']
export type Movement = components['schemas']['MovementItem']
export type ClientKey = components['schemas']['ClientKeyItem']
export type LogItem = components['schemas']['LogItem']
export type AdminRequest = components['schemas']['AdminRequest']

export const clientQuery = (account_id: string) =>
  queryOptions({
    queryKey: ['clients', 'one', account_id],
    queryFn: ({ signal }) => unwrap(api.GET('/v1/admin/clients/{account_id}', { params: { path: { account_id }, query: atLeast() }, signal })),
    refetchInterval: REFRESH_MS,
  })

export const clientUsageQuery = (account_id: string, { from, to }: Range) =>
  queryOptions({
    queryKey: ['clients', 'usage', account_id, from, to],
    queryFn: ({ signal }) => {
      const query = { group_by: 'day_model' as const, ...moments(from, to), ...atLeast() }
      return unwrap(api.GET('/v1/admin/clients/{account_id}/usage', { params: { path: { account_id }, query }, signal }))
    },
    refetchInterval: REFRESH_MS,
  })

export const clientLimitsQuery = (account_id: string) =>
  queryOptions({
    queryKey: ['clients', 'limits', account_id],
    queryFn: ({ signal }) => unwrap(api.GET('/v1/admin/clients/{account_id}/limits', { params: { path: { account_id } }, signal })),
    refetchInterval: REFRESH_MS,
  })

const page = (cursor: string | null) => ({ limit: 50, ...(cursor !== null && { cursor }), ...atLeast() })

export const clientRequestsQuery = (account_id: string) =>
  infiniteQueryOptions({
    queryKey: ['clients', 'requests', account_id],
    queryFn: ({ pageParam, signal }) =>
      unwrap(api.GET('/v1/admin/clients/{account_id}/requests', { params: { path: { account_id }, query: page(pageParam) }, signal })),
    initialPageParam: FIRST_PAGE.cursor,
    getNextPageParam: (last) => last.next_cursor ?? null,
    refetchInterval: REFRESH_MS,
  })

export const clientMovementsQuery = (account_id: string) =>
  infiniteQueryOptions({
    queryKey: ['clients', 'movements', account_id],
    queryFn: ({ pageParam, signal }) =>
      unwrap(api.GET('/v1/admin/clients/{account_id}/movements', { params: { path: { account_id }, query: page(pageParam) }, signal })),
    initialPageParam: FIRST_PAGE.cursor,
    getNextPageParam: (last) => last.next_cursor ?? null,
    refetchInterval: REFRESH_MS,
  })

export const clientKeysQuery = (account_id: string) =>
  infiniteQueryOptions({
    queryKey: ['clients', 'keys', account_id],
    queryFn: ({ pageParam, signal }) =>
      unwrap(api.GET('/v1/admin/clients/{account_id}/keys', { params: { path: { account_id }, query: page(pageParam) }, signal })),
    initialPageParam: FIRST_PAGE.cursor,
    getNextPageParam: (last) => last.next_cursor ?? null,
    refetchInterval: REFRESH_MS,
  })

export const plansQuery = queryOptions({
  queryKey: ['plans'],
  queryFn: ({ signal }) => unwrap(api.GET('/v1/admin/plans', { signal })),
})

export const adminRequestQuery = (id: string) =>
  queryOptions({
    queryKey: ['clients', 'request', id],
    queryFn: ({ signal }) => unwrap(api.GET('/v1/admin/requests/{id}', { params: { path: { id }, query: atLeast() }, signal })),
    refetchInterval: REFRESH_MS,
  })

type Bodies = components['schemas']
const to = (account_id: string, key: string) => ({ path: { account_id }, header: { 'Idempotency-Key': key } })

export const topUp = (id: string, key: string, body: Bodies['TopUpRequest']) =>
  unwrap(api.POST('/v1/admin/clients/{account_id}/top-ups', { params: to(id, key), body }))
export const refund = (id: string, key: string, body: Bodies['RefundRequest']) =>
  unwrap(api.POST('/v1/admin/clients/{account_id}/refunds', { params: to(id, key), body }))
export const adjust = (id: string, key: string, body: Bodies['AdjustmentRequest']) =>
  unwrap(api.POST('/v1/admin/clients/{account_id}/adjustments', { params: to(id, key), body }))
export const grant = (id: string, key: string, body: Bodies['GrantRequest']) =>
  unwrap(api.POST('/v1/admin/clients/{account_id}/grants', { params: to(id, key), body }))
export const suspend = (id: string, key: string, reason: string) =>
  unwrap(api.POST('/v1/admin/clients/{account_id}/suspend', { params: to(id, key), body: { reason } }))
export const reinstate = (id: string, key: string, reason: string) =>
  unwrap(api.POST('/v1/admin/clients/{account_id}/reinstate', { params: to(id, key), body: { reason } }))
export const assignPlan = (id: string, key: string, body: Bodies['PlanRequest']) =>
  unwrap(api.PUT('/v1/admin/clients/{account_id}/plan', { params: to(id, key), body }))
export const changeLimits = (id: string, key: string, body: Bodies['AccountLimitsRequest']) =>
  unwrap(api.PATCH('/v1/admin/clients/{account_id}/limits', { params: to(id, key), body }))
