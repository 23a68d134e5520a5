import { queryOptions } from '@tanstack/react-query'
import { api } from '@/api/client'
import { unwrap } from '@/api/error'
import { compareDecimals, perMillion } from '@/lib/decimal'

/** A model that is for sale; prices are dollars per million tokens, as decimal texts. */
export type Model = {
  id: string
  name: string
  vendor: string
  context: number | null
  created: number
  takes: readonly string[]
  gives: readonly string[]
  input: string | null
  output: string | null
  cached: string | null
  parameters: readonly string[]
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : []
}

function price(value: unknown): string | null {
  return typeof value === 'string' ? perMillion(value) : null
}

/** The document names what every client needs; the rest of an entry is the upstream's, and read with care. */
export function modelOf(entry: unknown): Model | null {
  const { id, name, context_length: context, created, architecture, pricing, supported_parameters: parameters } = record(entry)
  if (typeof id !== 'string') return null
  const { input_modalities: takes, output_modalities: gives } = record(architecture)
  const { prompt, completion, input_cache_read: cached } = record(pricing)
  return {
    id,
    name: typeof name === 'string' ? name : id,
    vendor: id.split('/')[0] ?? id,
    context: typeof context === 'number' ? context : null,
    created: typeof created === 'number' ? created : 0,
    takes: texts(takes),
    gives: texts(gives),
    input: price(prompt),
    output: price(completion),
    cached: price(cached),
    parameters: texts(parameters),
  }
}

export const catalogueQuery = queryOptions({
  queryKey: ['models', 'own'],
  queryFn: async ({ signal }) => {
    const list = await unwrap(api.GET('/v1/client/models', { signal }))
    return list.data.map(modelOf).filter((model) => model !== null)
  },
  staleTime: 60_000,
})

export const SORTS = ['name', 'input', 'output', 'context', 'created'] as const
export type Sort = (typeof SORTS)[number]
export const MODALITIES = ['all', 'text', 'image', 'audio', 'file', 'video'] as const
export type Modality = (typeof MODALITIES)[number]

export type CatalogueSearch = { q?: string; modality?: Modality; sort?: Sort; down?: true }

/** What of a link's parameters means something. */
export function catalogueSearch(search: Record<string, unknown>): CatalogueSearch {
  const modality = MODALITIES.find((known) => known === search['modality'])
  const sort = SORTS.find((known) => known === search['sort'])
  return {
    ...(typeof search['q'] === 'string' && search['q'] !== '' && { q: search['q'] }),
    ...(modality !== undefined && modality !== 'all' && { modality }),
    ...(sort !== undefined && { sort }),
    ...(search['down'] === true && { down: true as const }),
  }
}

function order(sort: Sort): (a: Model, b: Model) => number {
  const byPrice = (a: string | null, b: string | null) => {
    if (a === null || b === null) return Number(a === null) - Number(b === null)
    return compareDecimals(a, b)
  }
  switch (sort) {
    case 'name':
      return (a, b) => a.name.localeCompare(b.name)
    case 'input':
      return (a, b) => byPrice(a.input, b.input)
    case 'output':
      return (a, b) => byPrice(a.output, b.output)
    case 'context':
      return (a, b) => (a.context ?? 0) - (b.context ?? 0)
    case 'created':
      return (a, b) => a.created - b.created
  }
}

export function found(models: readonly Model[], { q = '', modality = 'all', sort = 'name', down }: CatalogueSearch): Model[] {
  const words = q.toLowerCase().split(/\s+/).filter((word) => word !== '')
  const fits = (model: Model) => {
    const text = `${model.id} ${model.name}`.toLowerCase()
    const right = modality === 'all' || model.takes.includes(modality) || model.gives.includes(modality)
    return right && words.every((word) => text.includes(word))
  }
  const sorted = models.filter(fits).toSorted(order(sort))
  return down === true ? sorted.toReversed() : sorted
}
