import type { IconName } from '@/ui/icon'

/**
 * What stands in the sidebar. Whoever adds a page adds its route in `app/routes/`, its name to `messages.ts` and its
 * line here.
 */
export type NavItem = { to: string; label: string; icon: IconName; exact?: boolean }

export type Role = 'client' | 'admin' | 'auditor'

export type NavSection = { title: string; roles: readonly Role[]; items: readonly NavItem[] }

type Words = Record<
  'overview' | 'keys' | 'usage' | 'requests' | 'billing' | 'models' | 'settings' | 'account',
  string
>

export function navigation(t: Words): readonly NavSection[] {
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
  ]
}
