import { Link } from '@tanstack/react-router'
import { useMessages } from '@/lib/i18n'
import { Icon } from '@/ui/icon'
import { appMessages } from './messages'
import { type Role, navigation } from './navigation'
import { operatorMessages } from './operator-messages'

export function Wordmark() {
  return (
    <Link to="/" className="flex items-center gap-2.5 rounded-md text-[0.9375rem] font-semibold tracking-tight">
      <img src="/favicon.svg" alt="" width="24" height="24" />
      Tollgate
    </Link>
  )
}

/** The pages that a role has. */
export function Sidebar({ role, onGo }: { role: Role; onGo?: () => void }) {
  const t = useMessages(appMessages)
  const sections = navigation(t, useMessages(operatorMessages)).filter((section) => section.roles.includes(role))
  return (
    <div className="flex h-full flex-col gap-6 px-3 py-4">
      <div className="px-2">
        <Wordmark />
      </div>
      <nav aria-label={t.navigation} className="flex-1 space-y-5">
        {sections.map((section) => (
          <div key={section.title}>
            {sections.length > 1 && <p className="mb-1 px-2 text-2xs font-medium text-faint">{section.title}</p>}
            <ul className="space-y-px">
              {section.items.filter(({ roles }) => roles === undefined || roles.includes(role)).map((item) => (
                <li key={item.to}>
                  <Link
                    to={item.to}
                    activeOptions={{ exact: item.exact === true, includeSearch: false }}
                    {...(onGo !== undefined && { onClick: onGo })}
                    className="flex h-8 max-lg:h-10 items-center gap-2.5 rounded-md px-2 text-muted hover:bg-sunken hover:text-ink aria-[current=page]:bg-accent-soft aria-[current=page]:font-medium aria-[current=page]:text-accent-strong"
                  >
                    <Icon name={item.icon} className="size-[1.125rem]" />
                    <span className="truncate">{item.label}</span>
                  </Link>
                </li>
              ))}
            </ul>
          </div>
        ))}
      </nav>
      <a href="/docs/" className="flex items-center gap-2.5 rounded-md px-2 py-1.5 text-[0.8125rem] text-muted max-lg:py-2.5 hover:bg-sunken hover:text-ink">
        <Icon name="external" className="size-4" />
        {t.docs}
      </a>
    </div>
  )
}
