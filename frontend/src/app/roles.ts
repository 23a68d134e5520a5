import type { Role } from './navigation'

export function isRole(role: string): role is Role {
  return role === 'client' || role === 'admin' || role === 'auditor'
}

/** Where somebody of this role begins. */
export function homeOf(role: Role): string {
  return role === 'client' ? '/' : HOMES[role]
}

const HOMES = { admin: '/', auditor: '/settings' }
