import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { eventsSearch, historySearch } from '@/features/ledger/search'
import { app, only } from './root'

const guard = only(['admin', 'auditor'])

/** The books themselves. */
export const auditor = [
  createRoute({
    getParentRoute: () => app,
    path: '/ledger',
    beforeLoad: guard,
    validateSearch: eventsSearch,
    component: lazyRouteComponent(() => import('@/features/ledger/events'), 'LedgerPage'),
  }),
  createRoute({
    getParentRoute: () => app,
    path: '/ledger/events/$position',
    beforeLoad: guard,
    component: lazyRouteComponent(() => import('@/features/ledger/event'), 'EventPage'),
  }),
  createRoute({
    getParentRoute: () => app,
    path: '/ledger/accounts/$id',
    beforeLoad: guard,
    validateSearch: historySearch,
    component: lazyRouteComponent(() => import('@/features/ledger/history'), 'AccountHistoryPage'),
  }),
  createRoute({
    getParentRoute: () => app,
    path: '/ledger/balance',
    beforeLoad: guard,
    component: lazyRouteComponent(() => import('@/features/ledger/balance'), 'BalancePage'),
  }),
]
