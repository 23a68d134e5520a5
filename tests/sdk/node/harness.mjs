// What the tests share: the running server, its demo customer, and customers of their own.

import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import OpenAI from 'openai'

export const URL = process.env.TOLLGATE_URL
export const MODEL = 'openai/gpt-4o-mini'

export const user = (content) => [{ role: 'user', content }]
export const fault = (name) => ({ headers: { 'X-Sandbox-Fault': name } })

const secret = (name) => readFileSync(`${process.env.TOLLGATE_SECRETS}/${name}`, 'utf8').trim()

/** The SDK as its manual says, but for retries: a test wants to see the first answer. */
export const sdk = (apiKey, options = {}) =>
  new OpenAI({ baseURL: `${URL}/v1`, apiKey, maxRetries: 0, ...options })

export const demo = () => sdk(secret('demo-key'))

async function call(method, path, token, body) {
  const headers = { 'content-type': 'application/json' }
  if (token) headers.authorization = `Bearer ${token}`
  const answer = await fetch(URL + path, { method, headers, body: body && JSON.stringify(body) })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
  return JSON.parse(text)
}

async function signIn(email, password) {
  return (await call('POST', '/v1/auth/login', null, { email, password })).access_token
}

let adminToken

/** A new customer with a key, and with money if `dollars` says so. */
export async function newCustomer(dollars) {
  const email = `node-${randomUUID()}@example.com`
  const password = 'correct horse battery'
  await call('POST', '/v1/auth/register', null, { email, password })
  const session = await signIn(email, password)
  const { key } = await call('POST', '/v1/auth/api-keys', session, { name: 'test' })
  if (dollars) {
    adminToken ??= await signIn('admin@tollgate.local', secret('admin-password'))
    const { account_id } = await call('GET', '/v1/auth/me', session)
    const path = `/v1/admin/clients/${account_id}/top-ups`
    const booked = await call('POST', path, adminToken, { amount_usd: dollars, reference: 'test' })
    await call('GET', `/v1/client/balance?at_least=${booked.position}`, session)
  }
  return { key, client: sdk(key), balance: () => settledBalance(session) }
}

/** The balance once nothing is reserved: settlements follow the answers. */
async function settledBalance(session) {
  // An answer begins after its reservation is in the log, and read models follow the log.
  const { ledger_head } = await call('GET', '/health')
  for (const end = Date.now() + 20_000; ; ) {
    const balance = await call('GET', `/v1/client/balance?at_least=${ledger_head}`, session)
    if (/^0(\.0*)?$/.test(balance.reserved_usd)) return balance
    if (Date.now() > end) throw new Error(`still reserved: ${JSON.stringify(balance)}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Decimal text as a whole number of pico-dollars: no float touches money. */
export function pico(text) {
  const [, sign, whole, part = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(String(text).trim()) ?? []
  if (whole === undefined) throw new Error(`${text} is no decimal`)
  const shift = 12 + Number(exponent) - part.length
  if (shift < 0) throw new Error(`${text} has more than 12 decimals`)
  return BigInt(sign + whole + part) * 10n ** BigInt(shift)
}

/** The text of `usage.cost` in the text of an answer. */
export function costText(json) {
  const found = /"cost":\s*([-+.0-9eE]+)/.exec(json)
  if (!found) throw new Error(`no cost in ${json}`)
  return found[1]
}
