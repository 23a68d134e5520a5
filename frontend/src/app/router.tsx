import { createRouter } from '@tanstack/react-router'
import { makeQueryClient } from '@/api/queries'
import { onEnded } from '@/api/session'
import { Crashed, NotFound } from './fallbacks'
import { customer } from './routes/customer'
import { people } from './routes/people'
import { app, root } from './routes/root'

export const queryClient = makeQueryClient()

export const router = createRouter({
  routeTree: root.addChildren([...people, app.addChildren([...customer])]),
  context: { client: queryClient },
  defaultPreload: 'intent',
  defaultPreloadStaleTime: 0,
  scrollRestoration: true,
  defaultNotFoundComponent: NotFound,
  defaultErrorComponent: Crashed,
})

// The session ended somewhere else, or was not used for a week: sign in, and be back here.
onEnded(() => {
  queryClient.clear()
  const { pathname, href } = router.state.location
  if (pathname !== '/login') void router.navigate({ to: '/login', search: { next: href, expired: true } })
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
