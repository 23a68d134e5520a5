// The whole life of a customer, by the pages: sign up, money, a key, a request, its charge, the statement.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import test, { after, before } from 'node:test'
import OpenAI from 'openai'
import { PASSWORD, accessible, call, customer, ended, launch, signIn, token, topUp, url, visit } from './harness.mjs'

let browser
before(async () => {
  browser = await launch()
})
after(() => browser?.close())

const sdk = (apiKey) => new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 })
const question = { model: 'openai/gpt-4o-mini', messages: [{ role: 'user', content: 'Hello!' }], max_tokens: 40 }

test('from signing up to the statement', async () => {
  const { page, wrong, context } = await visit(browser)
  const email = `life-${randomUUID()}@example.com`

  await page.goto(`${url}/`)
  await page.waitForURL('**/login**')
  await page.getByRole('link', { name: 'Create an account' }).click()
  await page.getByLabel('Name').fill('Ada')
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel('Password', { exact: true }).fill('short')
  await page.getByRole('button', { name: 'Create an account' }).click()
  await page.getByText('Use at least 10 characters.').waitFor()
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Create an account' }).click()
  await page.getByRole('heading', { name: 'First steps' }).waitFor()
  await page.getByText('Your balance is empty').waitFor()
  await accessible(page, 'first steps')
  assert.match(await page.locator('pre').nth(1).innerText(), new RegExp(`${url}/v1/chat/completions`))

  // The operator books a payment; nobody reloads the page.
  const { account_id: account } = await call('GET', '/v1/auth/me', await token({ email, password: PASSWORD }))
  await topUp(account, '10')
  const available = page.locator('dt', { hasText: /^Available$/ }).locator('xpath=following-sibling::dd[1]')
  await page.waitForFunction((element) => element?.textContent === '$10.00', await available.elementHandle())

  await page.getByRole('link', { name: 'Create a key' }).click()
  await page.getByLabel('Name').fill('notebook')
  await page.getByLabel('Spending limit').fill('2,50')
  await page.getByLabel('Period').selectOption('day')
  await page.getByRole('dialog').getByRole('button', { name: 'Create a key' }).click()
  const key = await page.getByTestId('new-key').innerText()
  assert.match(key, /^sk-tg-/)
  await page.getByRole('button', { name: 'I have saved it' }).click()
  await page.getByRole('row', { name: /notebook/ }).getByText('$2.50', { exact: true }).waitFor()
  assert.ok(!(await page.content()).includes(key), 'the key is gone from the page')

  await page.getByRole('link', { name: 'Overview' }).click()
  await page.getByRole('heading', { name: 'First steps' }).waitFor()
  const answer = await sdk(key).chat.completions.create(question)
  // Without a reload the request stands there with its charge.
  const row = page.getByRole('row', { name: /openai\/gpt-4o-mini/ })
  await row.waitFor()
  await row.click()
  await page.waitForURL('**/requests/rsv_*')
  const charged = await page.getByTestId('charge').innerText()
  assert.equal(Number(charged.slice(1)), answer.usage.cost, 'what the answer said is what the page says')
  await page.getByText('Money set aside').waitFor()
  await page.getByText('The hash is that of the stored bytes').first().waitFor({ state: 'attached' })

  await page.getByRole('link', { name: 'Billing' }).click()
  await page.getByRole('row', { name: /Top-up/ }).getByText('+$10.00').waitFor()
  await page.locator('a[href^="/billing/statements/"]').first().click()
  await page.getByRole('heading', { name: /^Statement for/ }).waitFor()
  await page.getByText(`-${charged}`, { exact: true }).waitFor()
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download CSV' }).click()])
  assert.match(file.suggestedFilename(), /^tollgate-\d{4}-\d{2}\.csv$/)

  await page.getByRole('button', { name: 'Account menu' }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.waitForURL('**/login')
  await page.goto(`${url}/keys`)
  await page.waitForURL('**/login**')
  assert.deepEqual(wrong, [])
  await context.close()
})

test('a session outlives a reload, and no script can read what renews it', async () => {
  const ann = await customer()
  const { page, wrong, context } = await visit(browser)
  await signIn(page, ann.email)
  await page.goto(`${url}/billing`)
  await page.getByRole('heading', { name: 'Billing' }).waitFor()
  const kept = await page.evaluate(() => ({ cookie: document.cookie, local: JSON.stringify(localStorage), session: JSON.stringify(sessionStorage) }))
  assert.equal(kept.cookie, '')
  assert.ok(!/tgr_|eyJ/.test(kept.local + kept.session), JSON.stringify(kept))
  const [cookie] = await context.cookies(`${url}/v1/auth/refresh`)
  assert.deepEqual([cookie.name, cookie.httpOnly, cookie.sameSite, cookie.path], ['tollgate_refresh', true, 'Strict', '/v1/auth'])
  assert.deepEqual(wrong, [])
  await context.close()
})

test('a session that ended brings back to where one was', async () => {
  const ann = await customer()
  const { page, context } = await visit(browser)
  await signIn(page, ann.email)
  await page.goto(`${url}/requests?status=settled`)
  await page.getByRole('heading', { name: 'Requests' }).waitFor()
  // Somebody ends the session from elsewhere.
  await call('DELETE', '/v1/auth/sessions', ann.session)
  await page.waitForURL('**/login**', { timeout: 30_000 })
  await page.getByText('Your session has ended').waitFor()
  await page.getByLabel('E-mail').fill(ann.email)
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Requests' }).waitFor()
  assert.equal(page.url(), `${url}/requests?status=settled`)
  // The cookie is gone before a page begins.
  await context.clearCookies()
  await page.goto(`${url}/usage?by=model`)
  await page.getByText('Your session has ended').waitFor()
  assert.equal(new URL(page.url()).searchParams.get('next'), '/usage?by=model')
  await context.close()
})

test('a key is changed and revoked, and then refused', async () => {
  const ann = await customer()
  const { page, wrong, context } = await visit(browser)
  await signIn(page, ann.email, PASSWORD, '/keys')
  const actions = page.getByRole('button', { name: 'Actions for laptop' })
  await actions.click()
  await page.getByRole('menuitem', { name: 'Edit' }).click()
  await page.getByLabel('Name').fill('desktop')
  await page.getByLabel('Models').fill('openai/*')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('row', { name: /desktop/ }).waitFor()
  await assert.rejects(sdk(ann.key).chat.completions.create({ ...question, model: 'google/gemini-2.5-flash' }), { status: 403 })
  await sdk(ann.key).chat.completions.create(question)

  await page.getByRole('button', { name: 'Actions for desktop' }).click()
  await page.getByRole('menuitem', { name: 'Revoke' }).click()
  await page.getByRole('button', { name: 'Cancel' }).click()
  await sdk(ann.key).chat.completions.create(question)
  await page.getByRole('button', { name: 'Actions for desktop' }).click()
  await page.getByRole('menuitem', { name: 'Revoke' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
  await page.getByText('No keys yet').waitFor()
  await assert.rejects(sdk(ann.key).chat.completions.create(question), { status: 401 })
  await page.getByRole('button', { name: 'Show revoked' }).click()
  await page.getByRole('row', { name: /desktop/ }).getByText('Revoked').waitFor()
  assert.deepEqual(wrong, [])
  await context.close()
})

test('the playground streams an answer and says what it cost', async () => {
  const ann = await customer()
  const { page, wrong, context } = await visit(browser)
  await signIn(page, ann.email, PASSWORD, '/models?q=gpt-4o-mini')
  await page.getByRole('link', { name: 'Try it' }).first().click()
  await page.getByLabel('Model', { exact: true }).fill('openai/gpt-4o-mini')
  await page.getByLabel('Your message').fill('What is double-entry bookkeeping?')
  await page.getByRole('button', { name: 'Send' }).click()
  const cost = page.getByTestId('figures').locator('dt', { hasText: 'Charged' }).locator('xpath=following-sibling::dd[1]')
  await page.waitForFunction((element) => /^\$0\.0\d+$/.test(element?.textContent ?? ''), await cost.elementHandle())
  const data = await ended(ann.session, 1)
  assert.equal(await cost.innerText(), `$${data[0].charge_usd}`)
  const { data: keys } = await call('GET', '/v1/auth/api-keys', ann.session)
  const [own] = keys.filter((key) => key.name === 'Playground')
  assert.deepEqual([own.limit_usd, own.period], ['0.5', 'day'])
  await accessible(page, 'an answer')
  assert.ok(Date.parse(own.expires_at) - Date.now() <= 3_600_000)
  assert.deepEqual(wrong, [])
  await context.close()
})

test('a page that cannot reach the gateway says so and recovers by itself', async () => {
  const ann = await customer()
  const { page, context } = await visit(browser)
  await signIn(page, ann.email)
  await context.setOffline(true)
  await page.getByText('The gateway can’t be reached').first().waitFor({ timeout: 40_000 })
  await context.setOffline(false)
  await page.getByText('The gateway can’t be reached').first().waitFor({ state: 'detached', timeout: 40_000 })
  await context.close()
})
