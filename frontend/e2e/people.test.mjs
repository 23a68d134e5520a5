// What operators do with many customers, with people, and with what they decided.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import test, { after, before } from 'node:test'
import { accessible, auditor, call, chat, customer, ended, fits, launch, operate, people, PASSWORD, shot, signIn, url, visit } from './harness.mjs'

let browser
before(async () => {
  browser = await launch()
})
after(() => browser?.close())

/** Signed in as the operator. */
async function operator(path, face) {
  const visitor = await visit(browser, face)
  const admin = people.admin()
  await signIn(visitor.page, admin.email, admin.password, path)
  return visitor
}

/** Fills a command's form by labels, sends it, and gives the position of the event that it shows. */
async function command(page, fields, action) {
  const dialog = page.getByRole('dialog')
  for (const [label, value] of Object.entries(fields)) {
    const field = dialog.getByLabel(label, { exact: false })
    const isSelect = (await field.evaluate((element) => element.tagName)) === 'SELECT'
    await (isSelect ? field.selectOption(value) : field.fill(value))
  }
  await dialog.getByRole('button', { name: action, exact: true }).click()
  const made = dialog.getByTestId('made')
  await made.waitFor()
  const position = Number(await made.getAttribute('data-position'))
  await dialog.getByRole('button', { name: 'Done' }).click()
  await dialog.waitFor({ state: 'detached' })
  return position
}

/** What is shown once. */
async function secret(page) {
  const text = await page.getByTestId('secret').innerText()
  await page.getByRole('dialog').getByRole('button', { name: 'Done' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  return text
}

/** Links name the port that was configured, which is 0 here: any that is free. */
const here = (link) => `${url}${new URL(link).pathname}${new URL(link).hash}`

async function file(page, path) {
  const started = page.waitForEvent('download')
  await page.goto(url + path)
  await page.getByRole('button', { name: 'Download CSV' }).click()
  return readFile(await (await started).path(), 'utf8')
}

test('one customer of many is found by the server, and the search is a link', async () => {
  const name = `Zoe ${randomUUID().slice(0, 8)}`
  const found = []
  for (const part of ['one', 'two']) {
    const email = `${part}-${randomUUID()}@example.com`
    await call('POST', '/v1/auth/register', null, { email, password: PASSWORD, name: `${name} ${part}` })
    found.push(email)
  }
  const { page, wrong, context } = await operator('/operator/customers')
  const asked = []
  page.on('request', (request) => request.url().includes('/v1/admin/clients?') && asked.push(new URL(request.url()).searchParams))
  await page.getByLabel('Name, e-mail or account').fill(name.toUpperCase())
  await page.getByText('2 customers', { exact: true }).waitFor()
  await page.getByLabel('Name, e-mail or account').fill(`${name} two`)
  await page.getByText('1 customer', { exact: true }).waitFor()
  assert.deepEqual(
    asked.map((query) => query.get('search')).filter((search) => search !== null).filter((search, at, all) => all.indexOf(search) === at),
    [name.toUpperCase(), `${name} two`],
    'typing was searched for when it paused',
  )
  await page.reload()
  await page.getByRole('link', { name: `${name} two` }).click()
  await page.getByText(found[1]).first().waitFor()
  assert.deepEqual(wrong, [])
  await context.close()
})

test('plans, limits and prices are changed with a reason, which stands in the list of actions', async () => {
  const ann = await customer('10')
  const { page, wrong, context } = await operator('/operator/prices?show=ratios')
  const plan = `plan-${randomUUID().slice(0, 8)}`
  await page.getByRole('button', { name: 'Define a plan' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
  assert.ok((await page.getByText('Fill this in.').count()) >= 3, 'a plan needs a name, a ratio and a reason')
  const defined = await command(page, { Name: plan, 'Sale ratio': '0.7', Reason: `offer of ${plan}` }, 'Save')

  await page.goto(`${url}/operator/customers/${ann.account}?show=limits`)
  const act = async (name, fields) => {
    await page.getByRole('button', { name: 'More actions' }).click()
    await page.getByRole('menuitem', { name }).click()
    return command(page, fields, 'Save')
  }
  const assigned = await act('Change the plan', { 'Change the plan': plan, Reason: 'pays a year in advance' })
  await page.getByText(`Plan: ${plan}`).waitFor()
  const limited = await act('Change the limits', { 'Dollars a UTC day': '5', Reason: 'new here' })
  await page.getByRole('row', { name: /Dollars a UTC day/ }).getByText('$5.00').first().waitFor()
  assert.ok(defined < assigned && assigned < limited)

  await page.getByRole('link', { name: 'Actions', exact: true }).click()
  const row = page.getByRole('row', { name: /offer of/ }).first()
  await row.getByText('Plan defined').waitFor()
  await row.getByText('Admin', { exact: true }).waitFor()
  await page.getByLabel(/^About/).fill(ann.account)
  await page.getByRole('row', { name: /offer of/ }).waitFor({ state: 'detached' })
  await page.getByRole('row', { name: /pays a year in advance/ }).getByRole('link', { name: `Event ${assigned}` }).waitFor()
  await page.getByRole('row', { name: /new here/ }).getByRole('link', { name: `Event ${limited}` }).click()
  await page.getByRole('heading', { name: /: Limits changed$/ }).waitFor()
  assert.deepEqual(wrong, [])
  await context.close()
})

test('on a phone a model gets a ratio of its own from the catalogue, and loses it again', async () => {
  const { page, wrong, context } = await operator('/operator/prices?q=gpt-4o-mini-2024', { width: 390, height: 844 })
  const [model] = (await operate('GET', '/v1/admin/prices/models')).data.filter(({ id }) => id === 'openai/gpt-4o-mini-2024-07-18')
  const set = page.getByRole('button', { name: `Set ratio: ${model.name}` }).locator('visible=true')
  const change = async (ratio) => {
    await set.click()
    await command(page, { 'Sale ratio': ratio, Reason: 'sells at a loss' }, 'Save')
    return (await operate('GET', '/v1/admin/prices/models')).data.find(({ id }) => id === model.id)
  }
  const dear = await change('2')
  assert.deepEqual([dear.own_ratio, dear.sale_ratio, dear.sale_prompt_usd], [true, '2', '0.0000003'])
  await page.getByRole('row').filter({ has: set }).getByText('$0.30 → $1.20').locator('visible=true').waitFor()
  await fits(page, 'the catalogue')
  const before = await change('')
  assert.deepEqual([before.own_ratio, before.sale_ratio], [false, model.sale_ratio])
  assert.deepEqual(wrong, [])
  await context.close()
})

test('an operator gives a role, a link for a new password, and signs somebody out', async () => {
  const ann = await customer('10')
  const { page, wrong, context } = await operator(`/operator/people?q=${ann.email}`)
  const actions = page.getByRole('button', { name: 'Actions for Ann' })
  const row = page.getByRole('row', { name: /Ann/ })
  await row.getByText('Customer', { exact: true }).waitFor()
  await row.getByText('Not verified').waitFor()
  await row.getByText('Active').waitFor()
  await actions.click()
  await page.getByRole('menuitem', { name: 'Change the role' }).click()
  await page.getByRole('dialog').getByLabel('Role').selectOption('auditor')
  await accessible(page, 'Change the role')
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
  await row.getByText('Auditor', { exact: true }).waitFor()

  await actions.click()
  await page.getByRole('menuitem', { name: 'Make a password link' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Make a password link' }).click()
  const link = await secret(page)
  const other = await visit(browser)
  await other.page.goto(here(link))
  await other.page.locator('input[type=password]').first().fill('a whole new password')
  await other.page.locator('button[type=submit]').click()
  await other.page.locator('main#content h1').first().waitFor()
  await other.page.waitForURL('**/ledger')

  await actions.click()
  await page.getByRole('menuitem', { name: 'Sign out everywhere' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Sign out everywhere' }).click()
  await page.getByText('Their sessions have ended.').first().waitFor()
  await other.page.reload()
  await other.page.waitForURL('**/login?**')

  await page.getByRole('link', { name: 'Actions', exact: true }).click()
  await page.getByRole('tab', { name: 'People' }).click()
  await page.getByText('customer → auditor').first().waitFor()
  await page.getByRole('row', { name: /Password link made/ }).first().waitFor()
  assert.deepEqual(wrong, [])
  await context.close()
  await other.context.close()
})

test('an invitation registers one person; a mail that waits is opened, and that is recorded', async () => {
  const { page, wrong, context } = await operator('/operator/invitations')
  const invite = async (email) => {
    await page.getByRole('button', { name: 'Invite', exact: true }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('E-mail').fill('nobody')
    await dialog.getByRole('button', { name: 'Invite', exact: true }).click()
    await page.getByText('Enter an e-mail address.').waitFor()
    await accessible(page, 'Invite')
    await dialog.getByLabel('E-mail').fill(email)
    await dialog.getByRole('button', { name: 'Invite', exact: true }).click()
    return secret(page)
  }
  const [guest, stranger] = [`guest-${randomUUID()}@example.com`, `stranger-${randomUUID()}@example.com`]
  const link = await invite(guest)
  const other = await visit(browser)
  await other.page.goto(here(link))
  await other.page.locator('input[name=name]').fill('Guest')
  await other.page.locator('input[name=email]').fill(guest)
  await other.page.locator('input[name=password]').fill(PASSWORD)
  await other.page.locator('button[type=submit]').click()
  await other.page.getByRole('heading', { name: 'Overview' }).waitFor()

  await invite(stranger)
  await page.getByRole('row', { name: /Used/ }).first().waitFor()
  await page.getByRole('button', { name: `Revoke: ${stranger}` }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
  await page.getByRole('row', { name: /Revoked/ }).first().waitFor()

  await call('POST', '/v1/auth/password-reset', null, { email: guest })
  await page.getByRole('link', { name: 'Mails' }).click()
  await page.getByRole('button', { name: /^Open: Link for a new password/ }).first().click()
  await page.getByRole('dialog').getByRole('button', { name: 'Open', exact: true }).click()
  await page.getByRole('dialog').getByText(guest).first().waitFor()
  assert.match(await secret(page), /\/reset-password#token=/)
  await page.goto(`${url}/operator/actions?show=people`)
  await page.getByRole('row', { name: /Mail opened/ }).first().getByText('Admin', { exact: true }).waitFor()
  assert.deepEqual(wrong, [])
  await context.close()
  await other.context.close()
})

test('profit and ledger are downloaded as tables', async () => {
  const ann = await customer('10')
  await chat(ann.key)
  const [{ id }] = await ended(ann.session, 1)
  const sold = await operate('GET', `/v1/admin/requests/${id}`)
  const { page, wrong, context } = await operator('/')
  const profit = await file(page, '/operator/profit?by=account')
  const line = profit.split('\r\n').find((one) => one.startsWith(`${ann.account},`))
  assert.deepEqual(line.split(',').slice(1, 3), ['Ann', '1'])
  assert.ok(line.includes(`,${sold.margin_usd},`), line)
  const ledger = await file(page, `/ledger?stream=${ann.account}`)
  const lines = ledger.trimEnd().split('\r\n')
  assert.ok(lines[0].startsWith('position,recorded_at,stream_type,stream,'))
  assert.deepEqual([lines.length > 4, lines.slice(1).every((one) => one.includes(ann.account))], [true, true])
  assert.deepEqual(wrong, [])
  await context.close()
})

test('keys beyond the first page are shown, and an auditor has no list of mails', async () => {
  const ann = await customer('10')
  for (let made = 0; made < 104; made += 8) {
    await Promise.all(Array.from({ length: 8 }, (_, one) => call('POST', '/v1/auth/api-keys', ann.session, { name: `key ${made + one}` })))
  }
  const { page, wrong, context } = await visit(browser)
  await signIn(page, ann.email, ann.password, '/keys')
  const rows = page.getByRole('button', { name: /^Actions for/ })
  await page.getByRole('button', { name: 'Show more' }).click()
  await page.getByText('laptop', { exact: true }).waitFor()
  assert.equal(await rows.count(), 105)
  await shot(page, 'keys-many')

  const eve = await auditor()
  const other = await visit(browser)
  await signIn(other.page, eve.email)
  await other.page.goto(`${url}/operator/people`)
  await other.page.getByText(/^usr_/).first().waitFor()
  assert.equal(await other.page.getByText(ann.email).count(), 0, 'auditors learn nobody’s name')
  assert.equal(await other.page.getByRole('link', { name: 'Mails' }).count(), 0)
  await other.page.goto(`${url}/operator/mails`)
  await other.page.waitForURL('**/ledger')
  assert.deepEqual([...wrong, ...other.wrong], [])
  await context.close()
  await other.context.close()
})
