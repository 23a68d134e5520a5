import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { api } from '@/api/client'
import { unwrap } from '@/api/error'
import { atLeast } from '@/api/position'
import { FIRST_PAGE, REFRESH_MS } from '@/api/queries'
import type { components } from '@/api/schema'
import type { EventsSearch } from './search'
import { eventFilter } from './search'

export type EventItem = components['schemas']['EventItem']
export type EventDetail = components['schemas']['EventDetail']
export type EntryLine = components['schemas']['EntryLine']
export type HistoryItem = components['schemas']['HistoryItem']
export type TrialBalance = components['schemas']['TrialBalanceResponse']
export type Verification = components['schemas']['VerificationItem']

const PAGE = 100

export const eventsQuery = (search: EventsSearch) =>
  infiniteQueryOptions({
    queryKey: ['ledger', 'events', search],
    queryFn: ({ pageParam, signal }) => {
      const query = { ...eventFilter(search), limit: PAGE, ...(pageParam !== null && { cursor: pageParam }), ...atLeast() }
      return unwrap(api.GET('/v1/ledger/events', { params: { query }, signal }))
    },
    initialPageParam: FIRST_PAGE.cursor,
    getNextPageParam: (page) => page.next_cursor ?? null,
    refetchInterval: (query) => ((query.state.data?.pages.length ?? 0) > 1 ? false : REFRESH_MS),
    refetchOnWindowFocus: false,
  })

export const eventQuery = (position: number) =>
  queryOptions({
    queryKey: ['ledger', 'event', position],
    queryFn: ({ signal }) => unwrap(api.GET('/v1/ledger/events/{position}', { params: { path: { position }, query: atLeast() }, signal })),
    // An event never changes.
    staleTime: 60_000,
  })

export const accountHistoryQuery = (account_id: string, money_only: boolean) =>
  infiniteQueryOptions({
    queryKey: ['ledger', 'history', account_id, money_only],
    queryFn: ({ pageParam, signal }) => {
      const query = { money_only, limit: PAGE, ...(pageParam !== null && { cursor: pageParam }), ...atLeast() }
      return unwrap(api.GET('/v1/ledger/accounts/{account_id}/history', { params: { path: { account_id }, query }, signal }))
    },
    initialPageParam: FIRST_PAGE.cursor,
    getNextPageParam: (page) => page.next_cursor ?? null,
    refetchInterval: (query) => ((query.state.data?.pages.length ?? 0) > 1 ? false : REFRESH_MS),
  })

export const trialBalanceQuery = queryOptions({
  queryKey: ['ledger', 'trial-balance'],
  queryFn: ({ signal }) => unwrap(api.GET('/v1/ledger/trial-balance', { params: { query: atLeast() }, signal })),
  refetchInterval: REFRESH_MS,
})

export const verificationQuery = queryOptions({
  queryKey: ['ledger', 'verification'],
  queryFn: ({ signal }) => unwrap(api.GET('/v1/ledger/verification', { signal })),
  refetchInterval: (query) => (query.state.data?.running == null ? REFRESH_MS : 1_000),
})

export const verify = () => unwrap(api.POST('/v1/ledger/verification'))
