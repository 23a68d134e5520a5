// The life of an operator, from a purchase of credits to the profit, and of an auditor, from a request to a trial
// balance of zero.

import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { accessible, auditor, chat, customer, ended, fits, launch, operate, people, shot, signIn, url, visit } from './harness.mjs'

let browser
before(async () => {
  browser = await launch()
})
after(() => browser?.close())

/** Fills a command's form by labels, sends it, and gives the position of the event that it shows. */
async function command(page, fields, action) {
  const dialog = page.getByRole('dialog')
  for (const [label, value] of Object.entries(fields)) await dialog.getByLabel(label, { exact: false }).fill(value)
  await dialog.getByRole('button', { name: action, exact: true }).click()
  const made = dialog.getByTestId('made')
  await made.waitFor()
  const position = Number(await made.getAttribute('data-position'))
  await dialog.getByRole('button', { name: 'Done' }).click()
  await dialog.waitFor({ state: 'detached' })
  return position
}

const asOf = async (page) => Number(await page.locator('[data-as-of]').getAttribute('data-as-of'))
/** What stands beside a name. */
const fact = (page, name) => page.locator('dt', { hasText: name }).first().locator('xpath=following-sibling::dd[1]')

test('an operator buys credits, changes a price, sells a request and sees the profit', async () => {
  const ann = await customer('10')
  const admin = people.admin()
  const { page, wrong, context } = await visit(browser)
  await signIn(page, admin.email, admin.password, '/operator/masters')

  const [master] = (await operate('GET', '/v1/admin/master-accounts')).data
  await page.getByRole('button', { name: 'Book a purchase' }).first().click()
  await page.getByRole('dialog').getByRole('button', { name: 'Book a purchase' }).click()
  await page.getByText('Fill this in.').first().waitFor()
  const bought = await command(
    page,
    { 'Credits, at face value': '1 000', 'Paid for them': '440', 'Fee on top': '10', Reference: 'invoice 7' },
    'Book a purchase',
  )
  assert.ok((await asOf(page)) >= bought, 'the page shows the books with the purchase')
  const after = (await operate('GET', `/v1/admin/master-accounts?at_least=${bought}`)).data.find(({ id }) => id === master.id)
  assert.equal(Number(after.bought_usd) - Number(master.bought_usd), 1000)
  assert.equal(await fact(page, /^Cost rate$/).innerText(), String(Number(after.cost_rate)))

  await page.getByRole('link', { name: 'Prices' }).click()
  await page.getByRole('tab', { name: 'Sale ratios' }).click()
  await page.getByRole('button', { name: 'Change: Default' }).click()
  await command(page, { 'Sale ratio': '0,9', Reason: 'winter prices' }, 'Save')
  assert.equal(await page.getByTestId('default-ratio').innerText(), '× 0.9')
  await page.getByRole('tab', { name: 'History' }).click()
  await page.getByRole('row', { name: /winter prices/ }).first().getByText('× 0.9').waitFor()

  await chat(ann.key)
  const [{ id }] = await ended(ann.session, 1)
  const sold = await operate('GET', `/v1/admin/requests/${id}`)
  assert.equal(Number(sold.charge.sale_ratio), 0.9)
  assert.equal(sold.cost_rate, after.cost_rate)

  await page.getByRole('link', { name: 'Customers' }).click()
  await page.getByLabel('Name, e-mail or account').fill(ann.email)
  await page.getByText('1 customer', { exact: true }).waitFor()
  await page.getByRole('link', { name: 'Ann' }).click()
  await page.getByRole('button', { name: 'Top up' }).click()
  const toppedUp = await command(page, { Amount: '2.5', Reference: 'invoice 8' }, 'Top up')
  assert.equal((await fact(page, /^Topped up$/).innerText()).trim(), '+$12.50')
  await page.getByRole('button', { name: 'More actions' }).click()
  await page.getByRole('menuitem', { name: 'Suspend' }).click()
  await command(page, { Reason: 'asked us to' }, 'Suspend')
  await page.getByText('Suspended: asked us to').waitFor()
  await assert.rejects(chat(ann.key), /403|402|401/)
  await page.getByRole('button', { name: 'More actions' }).click()
  await page.getByRole('menuitem', { name: 'Reinstate' }).click()
  await command(page, { Reason: 'asked us again' }, 'Reinstate')
  await page.getByText('Suspended: asked us to').waitFor({ state: 'detached' })
  await page.getByRole('tab', { name: 'Movements' }).click()
  await page.getByRole('row', { name: /invoice 8/ }).getByRole('link', { name: `Event ${toppedUp}` }).waitFor()

  await page.getByRole('link', { name: 'Profit' }).click()
  await page.getByRole('button', { name: 'Customer', exact: true }).click()
  const line = page.getByRole('row').filter({ has: page.locator(`a[href="/operator/customers/${ann.account}"]`) })
  await line.getByText(`$${sold.margin_usd}`, { exact: true }).waitFor()
  await line.getByText(`$${sold.cost_usd}`, { exact: true }).waitFor()
  assert.deepEqual(wrong, [])
  await context.close()
})

test('an auditor follows a request to its event, its journal entry and a trial balance of zero', async () => {
  const ann = await customer('10')
  await chat(ann.key)
  const [{ id }] = await ended(ann.session, 1)
  const { charge, events } = await operate('GET', `/v1/admin/requests/${id}`)
  const eve = await auditor()
  const { page, wrong, context } = await visit(browser)
  await signIn(page, eve.email)
  await page.waitForURL('**/ledger')

  await page.getByRole('link', { name: 'Customers' }).click()
  await page.getByLabel('Name, e-mail or account').fill(ann.account)
  await page.getByText('1 customer', { exact: true }).waitFor()
  // Auditors learn nobody's name.
  await page.getByRole('link', { name: ann.account }).click()
  assert.equal(await page.getByRole('button', { name: 'Top up' }).count(), 0, 'an auditor changes nothing')
  await page.getByRole('tab', { name: 'Requests' }).click()
  await page.getByRole('link', { name: 'Request to openai/gpt-4o-mini' }).click()
  await page.getByRole('link', { name: `Event ${events.at(-1).position}` }).click()

  await page.getByRole('heading', { name: /: Charged$/ }).waitFor()
  await page.getByText('The hash is right').waitFor()
  await page.getByText('Debits equal credits').waitFor()
  const sum = page.getByRole('row', { name: /^Sum/ })
  const [debit, credit] = (await sum.innerText()).match(/\$[\d.]+/g)
  assert.equal(debit, credit)
  assert.ok((await page.getByRole('region', { name: 'Journal entry' }).innerText()).includes(`$${charge.charge_usd}`))

  await page.getByRole('link', { name: 'History of this account' }).click()
  await page.getByRole('row', { name: /Charged/ }).getByText(`-$${charge.charge_usd}`).waitFor()
  await page.getByRole('row', { name: /Topped up/ }).getByText('+$10.00').waitFor()

  await page.getByRole('link', { name: 'Trial balance' }).click()
  assert.equal(await page.getByTestId('difference').innerText(), '$0.00')
  await page.getByText('The books balance').waitFor()
  await page.getByRole('button', { name: 'Verify now' }).click()
  await page.getByText('Right', { exact: true }).waitFor({ timeout: 60_000 })
  assert.equal(await fact(page, /^Problems$/).innerText(), '0')

  await page.goto(`${url}/operator/customers?q=nobody`)
  await page.getByText('Nobody fits this search').waitFor()
  // A customer has none of these pages.
  const other = await visit(browser)
  await signIn(other.page, ann.email, ann.password, '/ledger/balance')
  await other.page.getByRole('heading', { name: 'Overview' }).waitFor()
  assert.deepEqual([...wrong, ...other.wrong], [])
  await context.close()
  await other.context.close()
})

test('what goes on is shown as it goes on, without asking again', async () => {
  const ann = await customer('10')
  const admin = people.admin()
  const { page, wrong, context } = await visit(browser)
  let asked = 0
  page.on('request', (request) => request.url().endsWith('/v1/admin/live') && (asked += 1))
  await signIn(page, admin.email, admin.password, '/operator/live')
  await page.getByText('Connected', { exact: true }).waitFor()
  const before = await asOf(page)
  await chat(ann.key)
  await ended(ann.session, 1)
  await page.waitForFunction((head) => Number(document.querySelector('[data-as-of]')?.getAttribute('data-as-of')) > head, before)
  await page.getByRole('row', { name: /Until the last byte/ }).getByText(/\d (ms|sec)/).first().waitFor()
  assert.equal(asked, 1)
  assert.deepEqual(wrong, [])
  await context.close()
})

test('on a phone, commands are given with the keyboard, and every dialog is accessible', async () => {
  const ann = await customer('10')
  const admin = people.admin()
  const { page, wrong, context } = await visit(browser, { width: 390, height: 844, dark: true })
  await signIn(page, admin.email, admin.password, `/operator/customers/${ann.account}`)
  const dialog = page.getByRole('dialog')
  const look = async (name) => {
    await dialog.waitFor()
    await accessible(page, name)
    await fits(page, name)
    await shot(page, `dialog-${name.toLowerCase().replaceAll(' ', '-')}`)
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
  }
  await page.getByRole('button', { name: 'Top up' }).press('Enter')
  await look('Top up')
  const actions = ['Refund', 'Grant money', 'Correct the balance', 'Change the plan', 'Change the limits', 'Suspend']
  for (const name of actions) {
    await page.getByRole('button', { name: 'More actions' }).press('Enter')
    await page.getByRole('menuitem', { name }).press('Enter')
    await look(name)
  }
  await page.goto(`${url}/operator/masters`)
  await page.getByRole('button', { name: 'Book a purchase' }).first().press('Enter')
  await look('Book a purchase')
  for (const name of ['Replace the key', 'Reconcile credits', 'Disable']) {
    await page.getByRole('button', { name: /^Actions for/ }).first().press('Enter')
    await page.getByRole('menuitem', { name }).press('Enter')
    await look(name)
  }
  await page.goto(`${url}/operator/prices?show=ratios`)
  for (const name of ['Change: Default', 'Define a plan', 'Set a ratio']) {
    await page.getByRole('button', { name }).press('Enter')
    await look(name.replace(':', ''))
  }
  await page.goto(`${url}/operator/prices?show=fairness`)
  await page.getByRole('button', { name: 'Change the policy' }).press('Enter')
  await look('Change the policy')
  assert.deepEqual(wrong, [])
  await context.close()
})
