import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { api } from '@/api/client'
import { unwrap } from '@/api/error'
import { atLeast } from '@/api/position'
import { FIRST_PAGE, REFRESH_MS } from '@/api/queries'
import type { components } from '@/api/schema'

type Bodies = components['schemas']
export type Ratio = Bodies['RatioItem']
export type PriceChange = Bodies['PriceChangeItem']
export type Plan = Bodies['PlanItem']
export type Scope = Bodies['ScopeName']
export type ModelPrice = Bodies['ModelPriceItem']
export type Policy = Bodies['FairnessPolicyResponse']
export type Treatment = Bodies['TreatmentName']

export const pricesQuery = queryOptions({
  queryKey: ['prices'],
  queryFn: ({ signal }) => unwrap(api.GET('/v1/admin/prices', { params: { query: atLeast() }, signal })),
  refetchInterval: REFRESH_MS,
})

/** Every model with its list price, its sale price and its margin. */
export const modelPricesQuery = queryOptions({
  queryKey: ['prices', 'models'],
  queryFn: ({ signal }) => unwrap(api.GET('/v1/admin/prices/models', { params: { query: atLeast() }, signal })),
  staleTime: 10_000,
})

export const ratiosQuery = (scope: Scope) =>
  infiniteQueryOptions({
    queryKey: ['prices', 'ratios', scope],
    queryFn: ({ pageParam, signal }) => {
      const query = { scope, limit: 200, ...(pageParam !== null && { cursor: pageParam }) }
      return unwrap(api.GET('/v1/admin/prices/ratios', { params: { query }, signal }))
    },
    initialPageParam: FIRST_PAGE.cursor,
    getNextPageParam: (page) => page.next_cursor ?? null,
    refetchInterval: REFRESH_MS,
  })

export const historyQuery = (kind: string | undefined) =>
  infiniteQueryOptions({
    queryKey: ['prices', 'history', kind],
    queryFn: ({ pageParam, signal }) => {
      const query = { limit: 50, ...(kind !== undefined && { kind }), ...(pageParam !== null && { cursor: pageParam }), ...atLeast() }
      return unwrap(api.GET('/v1/admin/prices/history', { params: { query }, signal }))
    },
    initialPageParam: FIRST_PAGE.cursor,
    getNextPageParam: (page) => page.next_cursor ?? null,
    refetchInterval: (query) => ((query.state.data?.pages.length ?? 0) > 1 ? false : REFRESH_MS),
  })

export const policyQuery = queryOptions({
  queryKey: ['fairness'],
  queryFn: ({ signal }) => unwrap(api.GET('/v1/admin/fairness-policy', { params: { query: atLeast() }, signal })),
  refetchInterval: REFRESH_MS,
})

const once = (key: string) => ({ header: { 'Idempotency-Key': key } })

export const setDefault = (key: string, body: Bodies['PricesRequest']) => unwrap(api.PUT('/v1/admin/prices', { params: once(key), body }))
export const setRatio = (key: string, body: Bodies['RatioRequest']) => unwrap(api.PUT('/v1/admin/prices/ratios', { params: once(key), body }))
export const definePlan = (name: string, key: string, body: Bodies['DefinePlanRequest']) =>
  unwrap(api.PUT('/v1/admin/plans/{name}', { params: { path: { name }, ...once(key) }, body }))
export const setPolicy = (key: string, body: Bodies['FairnessPolicyRequest']) =>
  unwrap(api.PUT('/v1/admin/fairness-policy', { params: once(key), body }))
