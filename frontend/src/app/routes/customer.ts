import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { app, only } from './root'

const guard = only(['client', 'admin'])

/** The customer's pages. */
export const customer = [
  createRoute({
    getParentRoute: () => app,
    path: '/',
    beforeLoad: guard,
    component: lazyRouteComponent(() => import('@/features/overview/page'), 'OverviewPage'),
  }),
]
