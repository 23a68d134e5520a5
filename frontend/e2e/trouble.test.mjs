// What goes wrong: wrong inputs, a gateway that fails, several pages of one browser, and who has only a keyboard.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import test, { after, before } from 'node:test'
import { PASSWORD, accessible, chat, customer, ended, launch, people, signIn, url, visit } from './harness.mjs'

let browser
let ann
before(async () => {
  browser = await launch()
  ann = await customer()
  await chat(ann.key)
  await ended(ann.session, 1)
})
after(() => browser?.close())

const focused = (page) => page.evaluate(() => document.activeElement?.getAttribute('name') ?? document.activeElement?.textContent)

test('a form says which field is wrong and goes there', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${url}/login`)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('Enter an e-mail address').waitFor()
  await page.getByText('Enter your password').waitFor()
  await page.waitForFunction(() => document.activeElement?.getAttribute('name') === 'email')
  await accessible(page, 'a form with errors')
  await page.goto(`${url}/register`)
  await page.getByLabel('E-mail').fill(`wrong-${randomUUID()}@example.com`)
  await page.getByLabel('Password', { exact: true }).fill('short')
  await page.getByRole('button', { name: 'Create an account' }).click()
  await page.waitForFunction(() => document.activeElement?.getAttribute('name') === 'password')

  await signIn(page, ann.email, PASSWORD, '/keys?new=true')
  const dialog = page.getByRole('dialog')
  const send = dialog.getByRole('button', { name: 'Create a key' })
  await dialog.getByLabel('Name').fill('a key')
  for (const amount of ['abc', '-5', '0', '0.0000000000001', '99999999999999']) {
    await dialog.getByLabel('Spending limit').fill(amount)
    await send.click()
    await dialog.getByText('Enter an amount such as 5 or 2.50.').waitFor()
    await dialog.getByLabel('Spending limit').fill('')
  }
  await context.close()

  const operator = await visit(browser)
  const admin = people.admin()
  await signIn(operator.page, admin.email, admin.password, `/operator/customers/${ann.account}`)
  await operator.page.getByRole('button', { name: 'Top up' }).click()
  for (const amount of ['', 'abc', '0', '-5', '1e5', '99999999999999', '0.0000000000001']) {
    await operator.page.getByRole('dialog').getByLabel('Amount').fill(amount)
    await operator.page.getByRole('dialog').getByRole('button', { name: 'Top up' }).click()
    await operator.page.locator('[aria-invalid=true]').first().waitFor()
  }
  assert.deepEqual(operator.wrong, [], 'nothing of it was sent')
  await operator.context.close()
})

test('a gateway that fails is told, with the number of the request, and what was read stays', async () => {
  const { page, context } = await visit(browser)
  await signIn(page, ann.email)
  await page.getByRole('row', { name: /gpt-4o-mini/ }).waitFor()
  let fails = true
  const body = JSON.stringify({ type: 'about:blank', title: 'Fault', status: 500, code: 'internal_error', detail: 'a fault' })
  await page.route('**/v1/client/**', (route) =>
    fails ? route.fulfill({ status: 500, contentType: 'application/problem+json', headers: { 'x-request-id': 'req_fault' }, body }) : route.continue(),
  )
  const told = page.getByText('Something went wrong on our side').first()
  await told.waitFor({ timeout: 40_000 })
  await page.getByText('req_fault').first().waitFor()
  await page.getByRole('row', { name: /gpt-4o-mini/ }).waitFor()
  fails = false
  await told.waitFor({ state: 'detached', timeout: 40_000 })

  // Even who is here can't be read: the page says so, instead of staying empty.
  await page.route('**/v1/auth/me**', (route) => route.fulfill({ status: 500, contentType: 'application/problem+json', headers: { 'x-request-id': 'req_fault' }, body }))
  await page.goto(`${url}/usage`)
  await page.getByRole('status', { name: 'Loading…' }).waitFor()
  await page.getByRole('heading', { name: 'Something went wrong on our side' }).waitFor({ timeout: 40_000 })
  await page.getByText('req_fault').waitFor()
  await page.unroute('**/v1/auth/me**')
  await page.getByRole('button', { name: 'Reload' }).click()
  await page.getByRole('heading', { name: 'Usage', level: 1 }).waitFor()
  // What does not exist is not worth another try.
  await page.goto(`${url}/requests/rsv_01k2h3j4k5m6n7p8q9r0s1t2v3`)
  await page.getByText('This does not exist').waitFor()
  assert.equal(await page.getByRole('button', { name: 'Try again' }).count(), 0)
  await context.close()
})

test('what is typed on is not undone by the answer to what was typed before', async () => {
  const { page, wrong, context } = await visit(browser)
  await signIn(page, ann.email, PASSWORD, '/models')
  const search = page.getByRole('searchbox')
  await search.fill('claude')
  await page.waitForURL('**/models?q=claude')
  for (const letter of '-sonnet') {
    await search.press(letter)
    await page.waitForTimeout(120)
  }
  await page.waitForURL('**/models?q=claude-sonnet')
  assert.equal(await search.inputValue(), 'claude-sonnet')
  // A link to another search does change what stands there.
  await page.goto(`${url}/models?q=gpt`)
  assert.equal(await page.getByRole('searchbox').inputValue(), 'gpt')
  assert.deepEqual(wrong, [])
  await context.close()
})

test('two pages of one browser share language and session, and back leads back', async () => {
  const { page, wrong, context } = await visit(browser)
  await signIn(page, ann.email)
  const other = await context.newPage()
  await other.goto(`${url}/billing`)
  await other.getByRole('heading', { name: 'Billing', level: 1 }).waitFor()
  await Promise.all([page.reload(), other.reload()])
  await other.getByRole('heading', { name: 'Billing', level: 1 }).waitFor()
  await page.getByRole('link', { name: 'Usage' }).click()
  await page.getByRole('button', { name: 'Model', exact: true }).click()
  await page.getByRole('link', { name: 'API keys' }).click()
  await page.getByRole('heading', { name: 'API keys', level: 1 }).waitFor()
  await page.goBack()
  await page.waitForURL('**/usage?by=model')
  await page.getByRole('heading', { name: 'Usage', level: 1 }).waitFor()
  await page.getByRole('button', { name: 'Account menu' }).click()
  await page.getByRole('menuitemradio', { name: 'Русский' }).click()
  await other.getByRole('heading', { name: 'Счёт', level: 1 }).waitFor()
  assert.equal(await other.locator('html').getAttribute('lang'), 'ru')
  assert.deepEqual(wrong, [])
  await page.getByRole('button', { name: 'Меню пользователя' }).click()
  await page.getByRole('menuitem', { name: 'Выйти' }).click()
  await page.waitForURL('**/login')
  await other.waitForURL('**/login**', { timeout: 30_000 })
  await context.close()
})

test('the keyboard reaches the content first, and comes back from dialogs and menus', async () => {
  const { page, wrong, context } = await visit(browser)
  await signIn(page, ann.email, PASSWORD, '/keys')
  await page.getByRole('row', { name: /laptop/ }).waitFor()
  await page.reload()
  await page.getByRole('row', { name: /laptop/ }).waitFor()
  await page.keyboard.press('Tab')
  assert.equal(await focused(page), 'Skip to content')
  await page.keyboard.press('Enter')
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'content')
  const create = page.getByRole('button', { name: 'Create a key' })
  await create.press('Enter')
  await page.getByRole('dialog').waitFor()
  await page.keyboard.press('Escape')
  await page.waitForFunction(() => document.activeElement?.textContent === 'Create a key')
  const actions = page.getByRole('button', { name: 'Actions for laptop' })
  await actions.press('Enter')
  await page.getByRole('menuitem', { name: 'Edit' }).press('Enter')
  await page.getByRole('dialog').waitFor()
  await page.keyboard.press('Escape')
  await page.waitForFunction(() => document.activeElement?.getAttribute('aria-label') === 'Actions for laptop')
  assert.deepEqual(wrong, [])
  await context.close()
})
