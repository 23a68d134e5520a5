// What the scenarios share.

import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'

function variable(name: string): string {
  const value = process.env[name]
  if (value === undefined) throw new Error(`${name} is not set`)
  return value
}

export const url = variable('TOLLGATE_URL')
export const model = 'openai/gpt-4o-mini'
export const password = 'correct horse battery'
export const newAddress = () => `contract-${randomUUID()}@example.com`
export const secret = (name: string) =>
  readFileSync(`${variable('TOLLGATE_SECRETS')}/${name}`, 'utf8').trim()
