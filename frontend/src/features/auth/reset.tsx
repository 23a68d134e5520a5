import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link, useRouter } from '@tanstack/react-router'
import { useState } from 'react'
import { api } from '@/api/client'
import { ApiError, unwrap } from '@/api/error'
import { adopt } from '@/api/session'
import { useTroubleText } from '@/api/trouble'
import { useMessages } from '@/lib/i18n'
import { tokenInHash } from '@/lib/paths'
import { PasswordField, TextField } from '@/ui/field'
import { AuthForm, AuthFrame, SHORTEST_PASSWORD, isAddress } from './frame'
import { authMessages } from './messages'

export function ResetPasswordPage() {
  const [token] = useState(() => tokenInHash(location.hash))
  return token === null ? <Ask /> : <Choose token={token} />
}

function BackToSignIn() {
  const t = useMessages(authMessages)
  return (
    <Link to="/login" className="font-medium text-accent hover:underline">
      {t.backToSignIn}
    </Link>
  )
}

function Ask() {
  const t = useMessages(authMessages)
  const describe = useTroubleText()
  const [email, setEmail] = useState('')
  const [tried, setTried] = useState(false)
  const ask = useMutation({ mutationFn: () => unwrap(api.POST('/v1/auth/password-reset', { body: { email } })) })
  return (
    <AuthFrame title={t.resetTitle} foot={<BackToSignIn />}>
      {ask.isSuccess ? (
        <p className="text-muted" role="status">
          {t.resetSent}
        </p>
      ) : (
        <>
          <p className="mb-4 text-muted">{t.resetAsk}</p>
          <AuthForm
            action={t.sendLink}
            busy={ask.isPending}
            trouble={ask.error === null ? null : describe(ask.error)}
            onSubmit={() => {
              setTried(true)
              if (isAddress(email)) ask.mutate()
            }}
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
          </AuthForm>
        </>
      )}
    </AuthFrame>
  )
}

function Choose({ token }: { token: string }) {
  const t = useMessages(authMessages)
  const describe = useTroubleText()
  const router = useRouter()
  const client = useQueryClient()
  const [password, setPassword] = useState('')
  const [tried, setTried] = useState(false)
  const short = password.length < SHORTEST_PASSWORD
  const confirm = useMutation({
    mutationFn: () => unwrap(api.POST('/v1/auth/password-reset/confirm', { body: { token, password } })),
    onSuccess: async (tokens) => {
      adopt(tokens)
      client.clear()
      await router.navigate({ to: '/', hash: '' })
    },
  })
  const submit = () => {
    setTried(true)
    if (!short) confirm.mutate()
  }
  const dead = confirm.error instanceof ApiError && [401, 404, 410].includes(confirm.error.status)
  const trouble = confirm.error === null ? null : dead ? t.linkDead : describe(confirm.error)
  return (
    <AuthFrame title={t.chooseTitle} foot={<BackToSignIn />}>
      <AuthForm action={t.setPassword} busy={confirm.isPending} trouble={trouble} onSubmit={submit}>
        <PasswordField
          label={t.newPassword}
          name="password"
          autoComplete="new-password"
          autoFocus
          required
          hint={t.passwordHint}
          error={tried && short ? t.passwordShort : null}
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
      </AuthForm>
    </AuthFrame>
  )
}
