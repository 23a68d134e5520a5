import { useMutation } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { api } from '@/api/client'
import { ApiError, unwrap } from '@/api/error'
import { useTroubleText } from '@/api/trouble'
import { currentLanguage, useMessages } from '@/lib/i18n'
import { tokenInHash } from '@/lib/paths'
import { PasswordField, TextField } from '@/ui/field'
import { AuthForm, AuthFrame, SHORTEST_PASSWORD, isAddress } from './frame'
import { useSignIn } from './login'
import { authMessages } from './messages'

export function RegisterPage() {
  const t = useMessages(authMessages)
  const describe = useTroubleText()
  const [invitation] = useState(() => tokenInHash(location.hash))
  const [name, setName] = useState('')
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const [tried, setTried] = useState(false)
  const signIn = useSignIn('/')
  const register = useMutation({
    mutationFn: async () => {
      const body = { email, password, name, language: currentLanguage(), ...(invitation !== null && { invitation }) }
      await unwrap(api.POST('/v1/auth/register', { body }))
    },
    onSuccess: () => signIn.mutate({ email, password }),
  })
  // The answer to a registration is the same for addresses that are taken: only the mail tells.
  if (signIn.error instanceof ApiError && (signIn.error.status === 401 || signIn.error.status === 403)) {
    return (
      <AuthFrame title={t.almost} foot={<Link to="/login" className="font-medium text-accent hover:underline">{t.backToSignIn}</Link>}>
        <p className="text-muted">{t.almostText}</p>
      </AuthFrame>
    )
  }
  const short = password.length < SHORTEST_PASSWORD
  const error = register.error ?? signIn.error
  const submit = () => {
    setTried(true)
    if (!short && isAddress(email)) register.mutate()
  }
  return (
    <AuthFrame
      title={t.registerTitle}
      foot={
        <>
          {t.haveAccount}{' '}
          <Link to="/login" className="font-medium text-accent hover:underline">
            {t.signIn}
          </Link>
        </>
      }
    >
      {invitation !== null && <p className="mb-4 text-muted">{t.invited}</p>}
      <AuthForm
        action={t.register}
        busy={register.isPending || signIn.isPending}
        trouble={error === null ? null : describe(error)}
        onSubmit={submit}
      >
        <TextField label={t.name} name="name" autoComplete="name" optional autoFocus value={name} onChange={(event) => setName(event.target.value)} />
        <TextField
          label={t.email}
          type="email"
          name="email"
          autoComplete="username"
          required
          error={tried && !isAddress(email) ? t.emailBad : null}
          value={email}
          onChange={(event) => setEmail(event.target.value)}
        />
        <PasswordField
          label={t.password}
          name="password"
          autoComplete="new-password"
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
