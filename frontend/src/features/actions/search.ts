export const FACES = ['books', 'people'] as const
export type Face = (typeof FACES)[number]
export type ActionsSearch = { show?: Face; about?: string }

/** What of a link's parameters means something. */
export function actionsSearch({ show, about }: Record<string, unknown>): ActionsSearch {
  return {
    ...(show === 'people' && { show }),
    ...(typeof about === 'string' && about.trim() !== '' && { about: about.trim() }),
  }
}
