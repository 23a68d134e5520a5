import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { api } from '@/api/client'
import { ApiError, unwrap } from '@/api/error'
import { atLeast } from '@/api/position'
import { FIRST_PAGE, REFRESH_MS } from '@/api/queries'
import type { components } from '@/api/schema'
import { modelOf } from '../shared/catalogue'

type Bodies = components['schemas']
export type Ratio = Bodies['RatioItem']
export type PriceChange = Bodies['PriceChangeItem']
export type Plan = Bodies['PlanItem']
export type Scope = Bodies['ScopeName']
export type Policy = Bodies['FairnessPolicyResponse']
export type Treatment = Bodies['TreatmentName']

export const pricesQuery = queryOptions({
  queryKey: ['prices'],
  queryFn: ({ signal }) => unwrap(api.GET('/v1/admin/prices', { params: { query: atLeast() }, signal })),
  refetchInterval: REFRESH_MS,
})

/** The public price list, asked for as nobody: whoever is signed in would see the prices of their own account. */
export const publicCatalogueQuery = queryOptions({
  queryKey: ['models', 'public'],
  queryFn: async ({ signal }) => {
    const response = await fetch('/v1/models', { signal }).catch((cause: unknown) => {
      if (signal.aborted) throw cause
      throw new ApiError(0, {})
    })
    if (!response.ok) throw new ApiError(response.status, {}, response.headers)
    const list: unknown = await response.json()
    const data: unknown = typeof list === 'object' && list !== null && 'data' in list ? list.data : null
    return (Array.isArray(data) ? data : []).map(modelOf).filter((model) => model !== null)
  },
  staleTime: 2_000,
})

/** Far more pages than there are changes of prices in a year. */
const MOST_PAGES = 25

/** The list price of each model: that of its newest change, for a token. */
export const listPricesQuery = queryOptions({
  queryKey: ['prices', 'list'],
  queryFn: async ({ signal }) => {
    const prices = new Map<string, { input: string | null; output: string | null }>()
    let cursor = FIRST_PAGE.cursor
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const query = { kind: 'model_priced', limit: 200, ...(cursor !== null && { cursor }), ...atLeast() }
      const answer: Bodies['Page_PriceChangeItem'] = await unwrap(api.GET('/v1/admin/prices/history', { params: { query }, signal }))
      for (const { subject, prompt_usd: input = null, completion_usd: output = null } of answer.data) {
        if (subject != null && !prices.has(subject)) prices.set(subject, { input, output })
      }
      cursor = answer.next_cursor ?? null
      if (cursor === null) break
    }
    return prices
  },
  staleTime: 30_000,
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
export const definePlan = (name: string, body: Bodies['DefinePlanRequest']) =>
  unwrap(api.PUT('/v1/admin/plans/{name}', { params: { path: { name } }, body }))
export const setPolicy = (body: Bodies['FairnessPolicyRequest']) => unwrap(api.PUT('/v1/admin/fairness-policy', { body }))
