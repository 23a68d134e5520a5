import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { actionsSearch } from '@/features/actions/search'
import { customerSearch, customersSearch } from '@/features/customers/search'
import { peopleSearch } from '@/features/people/search'
import { pricesSearch } from '@/features/prices/search'
import { profitSearch } from '@/features/profit/search'
import { app, only } from './root'

const guard = only(['admin', 'auditor'])
const admins = only(['admin'])

/** The operator's pages; auditors read them too. Each is a piece of its own, which customers never fetch. */
export const operator = [
  createRoute({
    getParentRoute: () => app,
    path: '/operator/profit',
    beforeLoad: guard,
    validateSearch: profitSearch,
    component: lazyRouteComponent(() => import('@/features/profit/page'), 'ProfitPage'),
  }),
  createRoute({
    getParentRoute: () => app,
    path: '/operator/prices',
    beforeLoad: guard,
    validateSearch: pricesSearch,
    component: lazyRouteComponent(() => import('@/features/prices/page'), 'PricesPage'),
  }),
  createRoute({
    getParentRoute: () => app,
    path: '/operator/masters',
    beforeLoad: guard,
    component: lazyRouteComponent(() => import('@/features/masters/page'), 'MastersPage'),
  }),
  createRoute({
    getParentRoute: () => app,
    path: '/operator/customers',
    beforeLoad: guard,
    validateSearch: customersSearch,
    component: lazyRouteComponent(() => import('@/features/customers/page'), 'CustomersPage'),
  }),
  createRoute({
    getParentRoute: () => app,
    path: '/operator/customers/$id',
    beforeLoad: guard,
    validateSearch: customerSearch,
    component: lazyRouteComponent(() => import('@/features/customers/customer'), 'CustomerPage'),
  }),
  createRoute({
    getParentRoute: () => app,
    path: '/operator/live',
    beforeLoad: guard,
    component: lazyRouteComponent(() => import('@/features/live/page'), 'LivePage'),
  }),
  createRoute({
    getParentRoute: () => app,
    path: '/operator/people',
    beforeLoad: guard,
    validateSearch: peopleSearch,
    component: lazyRouteComponent(() => import('@/features/people/page'), 'PeoplePage'),
  }),
  createRoute({
    getParentRoute: () => app,
    path: '/operator/invitations',
    beforeLoad: admins,
    component: lazyRouteComponent(() => import('@/features/people/invitations'), 'InvitationsPage'),
  }),
  createRoute({
    getParentRoute: () => app,
    path: '/operator/mails',
    beforeLoad: admins,
    component: lazyRouteComponent(() => import('@/features/people/mails'), 'MailsPage'),
  }),
  createRoute({
    getParentRoute: () => app,
    path: '/operator/actions',
    beforeLoad: guard,
    validateSearch: actionsSearch,
    component: lazyRouteComponent(() => import('@/features/actions/page'), 'ActionsPage'),
  }),
  createRoute({
    getParentRoute: () => app,
    path: '/operator/requests/$id',
    beforeLoad: guard,
    component: lazyRouteComponent(() => import('@/features/customers/request'), 'ClientRequestPage'),
  }),
]
