import type { IconName } from '@/ui/icon'

/**
 * What stands in the sidebar. Whoever adds a page adds its route in `app/routes/`, its name to `messages.ts` and its
 * line here.
 */
export type NavItem = {
  to: string
  label: string
  icon: IconName
  exact?: boolean
  /** Where not everybody who has the section has the page. */
  roles?: readonly Role[]
}

export type Role = 'client' | 'admin' | 'auditor'

export type NavSection = { title: string; roles: readonly Role[]; items: readonly NavItem[] }

type Words = Record<
  'overview' | 'keys' | 'usage' | 'requests' | 'billing' | 'models' | 'settings' | 'account',
  string
>

type OperatorWords = Record<'operator' | 'access' | 'people' | 'invitations' | 'mails' | 'actions' | 'books' | 'reader' | 'profit' | 'customers' | 'masters' | 'prices' | 'live' | 'ledger' | 'balance' | 'settings', string>

export function navigation(t: Words, o: OperatorWords): readonly NavSection[] {
  return [
    {
      title: t.account,
      roles: ['client', 'admin'],
      items: [
        { to: '/', label: t.overview, icon: 'overview', exact: true },
        { to: '/keys', label: t.keys, icon: 'key' },
        { to: '/usage', label: t.usage, icon: 'chart' },
        { to: '/requests', label: t.requests, icon: 'list' },
        { to: '/billing', label: t.billing, icon: 'card' },
        { to: '/models', label: t.models, icon: 'cube' },
        { to: '/settings', label: t.settings, icon: 'gear' },
      ],
    },
    {
      title: o.operator,
      roles: ['admin', 'auditor'],
      items: [
        { to: '/operator/profit', label: o.profit, icon: 'profit' },
        { to: '/operator/customers', label: o.customers, icon: 'people' },
        { to: '/operator/masters', label: o.masters, icon: 'vault' },
        { to: '/operator/prices', label: o.prices, icon: 'tag' },
        { to: '/operator/live', label: o.live, icon: 'pulse' },
      ],
    },
    {
      title: o.access,
      roles: ['admin', 'auditor'],
      items: [
        { to: '/operator/people', label: o.people, icon: 'user' },
        { to: '/operator/invitations', label: o.invitations, icon: 'plus', roles: ['admin'] },
        { to: '/operator/mails', label: o.mails, icon: 'mail', roles: ['admin'] },
        { to: '/operator/actions', label: o.actions, icon: 'list' },
      ],
    },
    {
      title: o.books,
      roles: ['admin', 'auditor'],
      items: [
        { to: '/ledger', label: o.ledger, icon: 'book', exact: true },
        { to: '/ledger/balance', label: o.balance, icon: 'check' },
      ],
    },
    {
      title: o.reader,
      roles: ['auditor'],
      items: [{ to: '/settings', label: o.settings, icon: 'gear' }],
    },
  ]
}
