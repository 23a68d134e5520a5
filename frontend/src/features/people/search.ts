export const ROLES = ['client', 'admin', 'auditor'] as const
export type PersonRole = (typeof ROLES)[number]
export type PeopleSearch = { q?: string; role?: PersonRole }

/** What of a link's parameters means something. */
export function peopleSearch({ q, role }: Record<string, unknown>): PeopleSearch {
  const known = ROLES.find((one) => one === role)
  return {
    ...(typeof q === 'string' && q.trim() !== '' && { q }),
    ...(known !== undefined && { role: known }),
  }
}
