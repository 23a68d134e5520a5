import type { QueryClient } from '@tanstack/react-query'
import { Outlet, createRootRouteWithContext, createRoute, redirect } from '@tanstack/react-router'
import { meQuery } from '@/api/queries'
import { accessToken, wasSignedIn } from '@/api/session'
import { NotFound, Waiting } from '../fallbacks'
import type { Role } from '../navigation'
import { homeOf, isRole } from '../roles'
import { Shell } from '../shell'

export type RouterContext = { client: QueryClient }

export const root = createRootRouteWithContext<RouterContext>()({ component: Outlet, notFoundComponent: NotFound })

/** Everything behind the sign-in. Whoever is not signed in comes back to where they wanted to go. */
export const app = createRoute({
  getParentRoute: () => root,
  id: 'app',
  component: Shell,
  pendingComponent: Waiting,
  beforeLoad: async ({ context, location }) => {
    const before = wasSignedIn()
    const token = await accessToken()
    if (token === null) throw redirect({ to: '/login', search: { next: location.href, ...(before && { expired: true }) } })
    const me = await context.client.ensureQueryData(meQuery)
    return { role: isRole(me.role) ? me.role : ('client' as const) }
  },
})

/** For `beforeLoad` of pages that not every role has. */
export function only(roles: readonly Role[]) {
  return ({ context }: { context: { role: Role } }) => {
    if (!roles.includes(context.role)) throw redirect({ to: homeOf(context.role) })
  }
}
