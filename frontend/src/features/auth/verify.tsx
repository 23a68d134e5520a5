import { useMutation } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import { api } from '@/api/client'
import { done, unwrap } from '@/api/error'
import { useTroubleText } from '@/api/trouble'
import { useMessages } from '@/lib/i18n'
import { tokenInHash } from '@/lib/paths'
import { buttonClass } from '@/ui/button'
import { Notice } from '@/ui/card'
import { TextField } from '@/ui/field'
import { AuthForm, AuthFrame, isAddress } from './frame'
import { authMessages } from './messages'

export function VerifyEmailPage() {
  const t = useMessages(authMessages)
  const [token] = useState(() => tokenInHash(location.hash))
  const confirm = useMutation({
    mutationFn: (sent: string) => done(api.POST('/v1/auth/email-verification/confirm', { body: { token: sent } })),
  })
  const { mutate } = confirm
  const asked = useRef(false)
  useEffect(() => {
    // A link works once, and React may run effects twice.
    if (token === null || asked.current) return
    asked.current = true
    mutate(token)
  }, [token, mutate])
  return (
    <AuthFrame title={t.verifyTitle} foot={<Link to="/login" className="font-medium text-accent hover:underline">{t.backToSignIn}</Link>}>
      {confirm.isSuccess ? (
        <div className="space-y-4" role="status">
          <Notice tone="good">{t.verified}</Notice>
          <Link to="/" className={`${buttonClass('primary')} w-full`}>
            {t.goOn}
          </Link>
        </div>
      ) : confirm.isPending ? (
        <p className="text-muted" role="status">
          {t.verifying}
        </p>
      ) : (
        <Resend failed={confirm.isError} />
      )}
    </AuthFrame>
  )
}

function Resend({ failed }: { failed: boolean }) {
  const t = useMessages(authMessages)
  const describe = useTroubleText()
  const [email, setEmail] = useState('')
  const [tried, setTried] = useState(false)
  const ask = useMutation({ mutationFn: () => unwrap(api.POST('/v1/auth/email-verification', { body: { email } })) })
  if (ask.isSuccess) {
    return (
      <p className="text-muted" role="status">
        {t.verifySent}
      </p>
    )
  }
  const submit = () => {
    setTried(true)
    if (isAddress(email)) ask.mutate()
  }
  const trouble = ask.error === null ? (failed ? t.linkDead : null) : describe(ask.error)
  return (
    <>
      <p className="mb-4 text-muted">{t.verifyAsk}</p>
      <AuthForm action={t.sendLink} busy={ask.isPending} trouble={trouble} onSubmit={submit}>
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
      </AuthForm>
    </>
  )
}
