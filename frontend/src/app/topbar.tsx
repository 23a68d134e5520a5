import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { api } from '@/api/client'
import { balanceQuery, meQuery } from '@/api/queries'
import { drop } from '@/api/session'
import { useMessages } from '@/lib/i18n'
import { IconButton } from '@/ui/button'
import { Icon } from '@/ui/icon'
import { Menu, MenuItem, MenuLine, MenuNote } from '@/ui/menu'
import { Money } from '@/ui/money'
import { appMessages } from './messages'
import { LanguageChoice, ThemeChoice } from './taste'

export function TopBar({ onOpenNavigation }: { onOpenNavigation: () => void }) {
  const t = useMessages(appMessages)
  const { data: me } = useQuery(meQuery)
  return (
    <header className="no-print sticky top-0 z-30 flex h-13 items-center gap-2 border-b border-line bg-canvas px-3 sm:px-6 lg:px-8">
      <IconButton icon="menu" label={t.openNavigation} onClick={onOpenNavigation} className="lg:hidden" />
      <div className="flex-1" />
      {me !== undefined && me.role !== 'auditor' && <Available />}
      {me !== undefined && <UserMenu name={me.name === '' ? me.email : me.name} email={me.email} />}
    </header>
  )
}

function Available() {
  const t = useMessages(appMessages)
  const { data } = useQuery(balanceQuery)
  if (data === undefined) return null
  return (
    <Link to="/billing" className="flex h-8 max-sm:h-10 items-center gap-2 rounded-md px-2.5 text-[0.8125rem] text-muted hover:bg-sunken">
      {t.available}
      <Money value={data.available_usd} decimals={2} down className="font-medium text-ink" />
    </Link>
  )
}

function UserMenu({ name, email }: { name: string; email: string }) {
  const t = useMessages(appMessages)
  const client = useQueryClient()
  const navigate = useNavigate()
  const signOut = async () => {
    // Whatever the gateway says: here the session is over.
    await api.POST('/v1/auth/logout').catch(() => undefined)
    drop(true)
    client.clear()
    await navigate({ to: '/login' })
  }
  return (
    <Menu
      trigger={
        <button type="button" className="flex h-8 max-sm:h-10 items-center gap-2 rounded-md pr-1 pl-1.5 hover:bg-sunken">
          <span aria-hidden="true" className="flex size-6 items-center justify-center rounded-full bg-accent text-2xs font-semibold text-on-accent uppercase">
            {name.slice(0, 1)}
          </span>
          <span className="sr-only">{t.menu}</span>
          <span className="max-w-40 truncate text-[0.8125rem] max-sm:hidden">{name}</span>
          <Icon name="down" className="size-4 text-muted" />
        </button>
      }
    >
      <MenuNote>
        <span className="block max-w-56 truncate text-[0.8125rem] text-muted">{email}</span>
      </MenuNote>
      <ThemeChoice />
      <LanguageChoice />
      <MenuLine />
      <MenuItem icon="out" onSelect={() => void signOut()}>
        {t.signOut}
      </MenuItem>
    </Menu>
  )
}
