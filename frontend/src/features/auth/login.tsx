import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link, useRouter, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { api } from '@/api/client'
import { ApiError, unwrap } from '@/api/error'
import { adopt } from '@/api/session'
import { useTroubleText } from '@/api/trouble'
import { useMessages } from '@/lib/i18n'
import { safeNext } from '@/lib/paths'
import { Notice } from '@/ui/card'
import { PasswordField, TextField } from '@/ui/field'
import { AuthForm, AuthFrame, isAddress } from './frame'
import { authMessages } from './messages'

export type Credentials = { email: string; password: string }

/** Signs in and goes where the reader wanted to be. */
export function useSignIn(next: string) {
  const router = useRouter()
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: Credentials) => unwrap(api.POST('/v1/auth/login', { body })),
    onSuccess: async (tokens) => {
      adopt(tokens)
      client.clear()
      await router.navigate({ href: next })
    },
  })
}

export function useSignInTrouble(): (error: Error | null) => string | null {
  const t = useMessages(authMessages)
  const describe = useTroubleText()
  return (error) => {
    if (error === null) return null
    if (error instanceof ApiError && error.status === 401) return t.wrong
    if (error instanceof ApiError && error.status === 403) return t.unverified
    const { title, advice } = describe(error)
    return advice === '' ? title : advice
  }
}

export function LoginPage() {
  const t = useMessages(authMessages)
  const { next, expired } = useSearch({ from: '/login' })
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const signIn = useSignIn(safeNext(next))
  const trouble = useSignInTrouble()
  const [tried, setTried] = useState(false)
  const submit = () => {
    setTried(true)
    if (isAddress(email) && password !== '') signIn.mutate({ email, password })
  }
  return (
    <AuthFrame
      title={t.signInTitle}
      foot={
        <>
          {t.noAccount}{' '}
          <Link to="/register" className="font-medium text-accent hover:underline">
            {t.register}
          </Link>
        </>
      }
    >
      {expired === true && signIn.error === null && (
        <div className="mb-4">
          <Notice tone="accent">{t.expired}</Notice>
        </div>
      )}
      <AuthForm
        action={t.signIn}
        busy={signIn.isPending}
        trouble={trouble(signIn.error)}
        onSubmit={submit}
      >
        <TextField
          label={t.email}
          type="email"
          name="email"
          autoComplete="username"
          autoFocus
          required
          error={tried && !isAddress(email) ? t.emailBad : null}
          value={email}
          onChange={(event) => setEmail(event.target.value)}
        />
        <PasswordField
          label={t.password}
          name="password"
          autoComplete="current-password"
          required
          error={tried && password === '' ? t.passwordNeeded : null}
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
        <p className="text-right text-[0.8125rem]">
          <Link to="/reset-password" className="text-muted underline-offset-2 hover:text-ink hover:underline">
            {t.forgot}
          </Link>
        </p>
      </AuthForm>
    </AuthFrame>
  )
}
