import { useQuery } from '@tanstack/react-query'
import { Outlet } from '@tanstack/react-router'
import { useState } from 'react'
import { meQuery } from '@/api/queries'
import { useMessages } from '@/lib/i18n'
import { Drawer } from '@/ui/dialog'
import { appMessages } from './messages'
import { isRole } from './roles'
import { Sidebar } from './sidebar'
import { TopBar } from './topbar'

/** Sidebar, top bar and the page; on a phone the sidebar is a drawer. */
export function Shell() {
  const t = useMessages(appMessages)
  const [open, setOpen] = useState(false)
  const { data: me } = useQuery(meQuery)
  const role = me !== undefined && isRole(me.role) ? me.role : 'client'
  return (
    <div className="lg:grid lg:grid-cols-[14.5rem_1fr] print:block">
      <a
        href="#content"
        className="sr-only z-50 rounded-md bg-surface px-3 py-2 focus-visible:not-sr-only focus-visible:fixed focus-visible:px-3 focus-visible:py-2 focus-visible:top-2 focus-visible:left-2"
      >
        {t.skip}
      </a>
      <aside className="no-print sticky top-0 h-dvh overflow-y-auto max-lg:hidden">
        <Sidebar role={role} />
      </aside>
      <Drawer open={open} onClose={() => setOpen(false)} title={t.navigation}>
        <Sidebar role={role} onGo={() => setOpen(false)} />
      </Drawer>
      <div className="min-w-0 border-line lg:min-h-dvh lg:border-l">
        <TopBar onOpenNavigation={() => setOpen(true)} />
        <main id="content" tabIndex={-1} className="focus:outline-none">
          <Outlet />
        </main>
      </div>
    </div>
  )
}
