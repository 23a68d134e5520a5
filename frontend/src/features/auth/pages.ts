export { LoginPage } from './login'
export { RegisterPage } from './register'
export { ResetPasswordPage } from './reset'
export { VerifyEmailPage } from './verify'
