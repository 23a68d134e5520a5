import { type Day, addDays, isDay } from '@/lib/days'

export type EventsSearch = { stream?: string; type?: string; from?: Day; to?: Day }

/** What of a link's parameters means something. */
export function eventsSearch({ stream, type, from, to }: Record<string, unknown>): EventsSearch {
  return {
    ...(typeof stream === 'string' && stream.trim() !== '' && { stream: stream.trim() }),
    ...(typeof type === 'string' && /^[A-Za-z]{1,64}$/.test(type) && { type }),
    ...(isDay(from) && { from }),
    ...(isDay(to) && { to }),
  }
}

/** The same as the gateway takes it; days are whole and UTC. */
export function eventFilter({ stream, type, from, to }: EventsSearch) {
  return {
    ...(stream !== undefined && { stream }),
    ...(type !== undefined && { event_type: type }),
    ...(from !== undefined && { from: `${from}T00:00:00Z` }),
    ...(to !== undefined && { to: `${addDays(to, 1)}T00:00:00Z` }),
  }
}

export type HistorySearch = { all?: true }

export function historySearch({ all }: Record<string, unknown>): HistorySearch {
  return all === true ? { all } : {}
}
