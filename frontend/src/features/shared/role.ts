import { useQuery } from '@tanstack/react-query'
import { meQuery } from '@/api/queries'

/** Auditors look at what operators look at, and change nothing. */
export function useMayChange(): boolean {
  return useQuery(meQuery).data?.role === 'admin'
}
