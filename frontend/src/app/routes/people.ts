import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { safeNext } from '@/lib/paths'
import { root } from './root'

const pages = () => import('@/features/auth/pages')

/** Pages of those who are not signed in. Mails link to them: see `src/mail/letters.rs`. */
export const people = [
  createRoute({
    getParentRoute: () => root,
    path: '/login',
    validateSearch: (search: Record<string, unknown>): { next?: string; expired?: true } => ({
      ...(search['next'] !== undefined && { next: safeNext(search['next']) }),
      ...(search['expired'] === true && { expired: true as const }),
    }),
    component: lazyRouteComponent(pages, 'LoginPage'),
  }),
  createRoute({ getParentRoute: () => root, path: '/register', component: lazyRouteComponent(pages, 'RegisterPage') }),
  createRoute({ getParentRoute: () => root, path: '/reset-password', component: lazyRouteComponent(pages, 'ResetPasswordPage') }),
  createRoute({ getParentRoute: () => root, path: '/verify-email', component: lazyRouteComponent(pages, 'VerifyEmailPage') }),
]
