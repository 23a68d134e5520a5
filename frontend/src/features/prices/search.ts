export const FACES = ['catalogue', 'ratios', 'history', 'fairness'] as const
export type Face = (typeof FACES)[number]
export const KINDS = ['ratio_set', 'plan_defined', 'prices_published', 'model_priced', 'model_retired'] as const
export type Kind = (typeof KINDS)[number]
export type PricesSearch = { show?: Face; q?: string; kind?: Kind }

/** What of a link's parameters means something. */
export function pricesSearch(search: Record<string, unknown>): PricesSearch {
  const show = FACES.find((face) => face === search['show'])
  const kind = KINDS.find((known) => known === search['kind'])
  const { q } = search
  return {
    ...(show !== undefined && show !== 'catalogue' && { show }),
    ...(kind !== undefined && { kind }),
    ...(typeof q === 'string' && q !== '' && { q }),
  }
}
