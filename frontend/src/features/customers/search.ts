export type CustomersSearch = { q?: string }

export function customersSearch({ q }: Record<string, unknown>): CustomersSearch {
  return typeof q === 'string' && q.trim() !== '' ? { q } : {}
}

export const FACES = ['overview', 'requests', 'movements', 'keys', 'limits'] as const
export type Face = (typeof FACES)[number]
export type CustomerSearch = { show?: Face }

export function customerSearch(search: Record<string, unknown>): CustomerSearch {
  const show = FACES.find((face) => face === search['show'])
  return show === undefined || show === 'overview' ? {} : { show }
}

type Known = { account_id: string; name?: string | null; email?: string | null }

/** Those in whom every word is found. */
export function fitting<Client extends Known>(clients: readonly Client[], q: string): readonly Client[] {
  const words = q.toLowerCase().split(/\s+/).filter((word) => word !== '')
  if (words.length === 0) return clients
  return clients.filter(({ name, email, account_id }) => {
    const text = `${name ?? ''} ${email ?? ''} ${account_id}`.toLowerCase()
    return words.every((word) => text.includes(word))
  })
}
