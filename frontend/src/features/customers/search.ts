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
