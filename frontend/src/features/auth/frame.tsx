import { type FormEvent, type ReactNode, useEffect } from 'react'
import type { TroubleText } from '@/api/trouble'
import { setLanguage, useLanguage, useMessages } from '@/lib/i18n'
import { Button } from '@/ui/button'
import { Notice } from '@/ui/card'
import { goToWrong } from '@/ui/field'
import { authMessages } from './messages'

/** The sheet in the middle of the pages before the sign-in. */
export function AuthFrame({ title, children, foot }: { title: string; children: ReactNode; foot?: ReactNode }) {
  const t = useMessages(authMessages)
  const language = useLanguage()
  useEffect(() => {
    document.title = `${title} · Tollgate`
  }, [title])
  return (
    <div className="flex min-h-dvh flex-col">
      <main className="mx-auto flex w-full max-w-sm flex-1 flex-col justify-center px-4 py-10">
        <div className="mb-6 flex items-center gap-2.5 text-base font-semibold tracking-tight">
          <img src="/favicon.svg" alt="" width="28" height="28" />
          Tollgate
        </div>
        <div className="rounded-xl border border-line bg-surface p-6 shadow-raised">
          <h1 className="mb-4 text-lg font-semibold tracking-tight">{title}</h1>
          {children}
        </div>
        {foot !== undefined && <div className="mt-4 text-center text-muted">{foot}</div>}
      </main>
      <footer className="flex flex-wrap items-center justify-center gap-x-5 gap-y-1 px-4 py-5 text-center text-[0.8125rem] text-muted">
        <span>{t.tagline}</span>
        <a href="/docs/" className="underline-offset-2 hover:text-ink hover:underline">
          {t.docs}
        </a>
        <button
          type="button"
          lang={language === 'en' ? 'ru' : 'en'}
          className="underline-offset-2 hover:text-ink hover:underline"
          onClick={() => setLanguage(language === 'en' ? 'ru' : 'en')}
        >
          {language === 'en' ? 'Русский' : 'English'}
        </button>
      </footer>
    </div>
  )
}

type FormProps = { action: string; busy: boolean; trouble: TroubleText | string | null; onSubmit: () => void; children: ReactNode }

export const SHORTEST_PASSWORD = 10

/** Whether a text may be an address; whether it is one, only a mail tells. */
export function isAddress(text: string): boolean {
  return /^\S+@\S+$/.test(text.trim())
}

/** A form with one button; what went wrong stands above it. */
export function AuthForm({ action, busy, trouble, onSubmit, children }: FormProps) {
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    onSubmit()
    goToWrong(event.currentTarget)
  }
  const text = trouble === null || typeof trouble === 'string' ? trouble : trouble.advice || trouble.title
  return (
    <form onSubmit={submit} className="space-y-4" noValidate>
      {text !== null && (
        <div role="alert">
          <Notice tone="bad">{text}</Notice>
        </div>
      )}
      {children}
      <Button type="submit" kind="primary" busy={busy} className="w-full">
        {action}
      </Button>
    </form>
  )
}
