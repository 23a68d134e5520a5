import { expect, it } from 'vitest'
import { catalogueSearch, found, modelOf } from './catalogue'

const model = (id: string, prompt: string, takes = ['text'], context = 1_000) => {
  const entry = modelOf({ id, name: id, context_length: context, architecture: { input_modalities: takes }, pricing: { prompt, completion: '0' } })
  if (entry === null) throw new Error('no model')
  return entry
}
const models = [model('openai/gpt', '0.0000025'), model('google/flash', '0.0000003', ['text', 'image']), model('x/router', '-1')]

it('reads what the catalogue says and survives what it leaves out', () => {
  expect(models[0]).toMatchObject({ vendor: 'openai', input: '2.5', output: '0', cached: null })
  expect(modelOf({})).toBeNull()
  expect(modelOf('text')).toBeNull()
  expect(modelOf({ id: 'a/b' })).toMatchObject({ name: 'a/b', input: null, takes: [] })
})

it('searches every word, filters and sorts by size', () => {
  const ids = (search: Parameters<typeof found>[1]) => found(models, search).map(({ id }) => id)
  expect(ids({ q: 'GPT open' })).toEqual(['openai/gpt'])
  expect(ids({ modality: 'image' })).toEqual(['google/flash'])
  expect(ids({ sort: 'input' })).toEqual(['google/flash', 'openai/gpt', 'x/router'])
  expect(ids({ sort: 'name', down: true })).toEqual(['x/router', 'openai/gpt', 'google/flash'])
})

it('ignores what a link should not say', () => {
  expect(catalogueSearch({ q: 5, modality: 'smell', sort: 'input', down: 'yes' })).toEqual({ sort: 'input' })
})
