import { createRoute, lazyRouteComponent, notFound } from '@tanstack/react-router'
import { balanceQuery } from '@/api/queries'
import { dayOf, isMonth, monthOf } from '@/lib/days'
import { catalogueSearch } from '@/features/shared/catalogue'
import { requestSearch } from '@/features/requests/search'
import { usageSearch } from '@/features/usage/search'
import { app, only } from './root'

const guard = only(['client', 'admin'])

/** Longer than the gateway needs on a good day. */
const PATIENCE_MS = 300

const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds))

type Search = Record<string, unknown>

/** The customer's pages. Each is a piece of its own, fetched when it is first wanted. */
export const customer = [
  createRoute({
    getParentRoute: () => app,
    path: '/',
    beforeLoad: guard,
    // An empty balance is told above everything else: known beforehand, it pushes nothing down.
    loader: async ({ context: { client } }) => {
      if (client.getQueryData(balanceQuery.queryKey) !== undefined) return
      await Promise.race([client.prefetchQuery(balanceQuery), pause(PATIENCE_MS)])
    },
    component: lazyRouteComponent(() => import('@/features/overview/page'), 'OverviewPage'),
  }),
  createRoute({
    getParentRoute: () => app,
    path: '/keys',
    beforeLoad: guard,
    validateSearch: (search: Search): { new?: true | undefined; revoked?: true } => ({
      ...(search['new'] === true && { new: true as const }),
      ...(search['revoked'] === true && { revoked: true as const }),
    }),
    component: lazyRouteComponent(() => import('@/features/keys/page'), 'KeysPage'),
  }),
  createRoute({
    getParentRoute: () => app,
    path: '/usage',
    beforeLoad: guard,
    validateSearch: usageSearch,
    component: lazyRouteComponent(() => import('@/features/usage/page'), 'UsagePage'),
  }),
  createRoute({
    getParentRoute: () => app,
    path: '/requests',
    beforeLoad: guard,
    validateSearch: requestSearch,
    component: lazyRouteComponent(() => import('@/features/requests/page'), 'RequestsPage'),
  }),
  createRoute({
    getParentRoute: () => app,
    path: '/requests/$id',
    beforeLoad: guard,
    component: lazyRouteComponent(() => import('@/features/requests/detail'), 'RequestPage'),
  }),
  createRoute({
    getParentRoute: () => app,
    path: '/billing',
    beforeLoad: guard,
    component: lazyRouteComponent(() => import('@/features/billing/page'), 'BillingPage'),
  }),
  createRoute({
    getParentRoute: () => app,
    path: '/billing/statements/$month',
    beforeLoad: ({ context, params }) => {
      guard({ context })
      // A month that has not begun has no statement.
      if (!isMonth(params.month) || params.month > monthOf(dayOf(Date.now()))) throw notFound()
    },
    component: lazyRouteComponent(() => import('@/features/billing/statement'), 'StatementPage'),
  }),
  createRoute({
    getParentRoute: () => app,
    path: '/models',
    beforeLoad: guard,
    validateSearch: catalogueSearch,
    component: lazyRouteComponent(() => import('@/features/models/page'), 'ModelsPage'),
  }),
  createRoute({
    getParentRoute: () => app,
    path: '/models/playground',
    beforeLoad: guard,
    validateSearch: (search: Search): { model?: string } => (typeof search['model'] === 'string' ? { model: search['model'] } : {}),
    component: lazyRouteComponent(() => import('@/features/playground/page'), 'PlaygroundPage'),
  }),
  createRoute({
    getParentRoute: () => app,
    path: '/settings',
    component: lazyRouteComponent(() => import('@/features/settings/page'), 'SettingsPage'),
  }),
]
