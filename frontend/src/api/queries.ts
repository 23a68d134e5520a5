import { QueryClient, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query'
import { api } from './client'
import { isTransient, unwrap } from './error'
import { atLeast, noteWritten } from './position'

/** How often an open page asks again. */
export const REFRESH_MS = 10_000

/** Where a list begins that comes in pages. */
export const FIRST_PAGE: { cursor: string | null } = { cursor: null }

export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      // Browsers are often wrong about being offline; and who is, should be told.
      mutations: { networkMode: 'always' },
      queries: {
        networkMode: 'always',
        staleTime: 2_000,
        retry: (failures, error) => failures < 2 && isTransient(error),
        refetchOnWindowFocus: true,
      },
    },
  })
}

/** The person who is signed in. */
export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: ({ signal }) => unwrap(api.GET('/v1/auth/me', { signal })),
  staleTime: 60_000,
})

/** A command: notes the position of its event, then has everything read again. */
export function useCommand<Input, Answer>(run: (input: Input) => Promise<Answer>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: run,
    onSuccess: async (answer) => {
      if (hasPosition(answer)) noteWritten(answer)
      await client.invalidateQueries()
    },
  })
}

function hasPosition(answer: unknown): answer is { position: number } {
  return typeof answer === 'object' && answer !== null && 'position' in answer && typeof answer.position === 'number'
}

/** The balance, which stands on every page. */
export const balanceQuery = queryOptions({
  queryKey: ['balance'],
  queryFn: ({ signal }) => unwrap(api.GET('/v1/client/balance', { params: { query: atLeast() }, signal })),
  refetchInterval: 5_000,
})
