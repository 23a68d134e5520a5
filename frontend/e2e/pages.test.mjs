// What every page has to be: free of errors and of other hosts, accessible in both themes, no wider than a phone, quick.

import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { accessible, auditor, chat, customer, ended, figures, fits, launch, operate, people, shot, signIn, sound, swift, url, visit } from './harness.mjs'

const MODELS = ['openai/gpt-4o-mini', 'anthropic/claude-sonnet-4', 'google/gemini-2.5-flash']
const OUTSIDE = ['/login', '/register', '/register#token=tgi_x', '/reset-password', '/reset-password#token=tgp_x', '/verify-email']

let browser
let ann
let pages
let operatorPages
let eve
before(async () => {
  browser = await launch()
  ann = await customer()
  for (const model of MODELS) await chat(ann.key, model)
  const data = await ended(ann.session, MODELS.length)
  const month = new Date().toISOString().slice(0, 7)
  pages = {
    overview: '/',
    keys: '/keys',
    'new-key': '/keys?new=true',
    usage: '/usage',
    requests: '/requests',
    request: `/requests/${data[0].id}`,
    billing: '/billing',
    statement: `/billing/statements/${month}`,
    models: '/models',
    playground: '/models/playground',
    settings: '/settings',
    nowhere: '/nowhere',
  }
  const { events } = await operate('GET', `/v1/admin/requests/${data[0].id}`)
  const customerPage = `/operator/customers/${ann.account}`
  operatorPages = {
    profit: '/operator/profit',
    'profit-models': '/operator/profit?by=model&span=week',
    'profit-accounts': '/operator/profit?by=account',
    'profit-masters': '/operator/profit?by=master_account',
    masters: '/operator/masters',
    prices: '/operator/prices',
    'prices-ratios': '/operator/prices?show=ratios',
    'prices-history': '/operator/prices?show=history',
    fairness: '/operator/prices?show=fairness',
    live: '/operator/live',
    ledger: '/ledger',
    'ledger-none': '/ledger?stream=acct_01k2h3j4k5m6n7p8q9r0s1t2v3',
    event: `/ledger/events/${events.at(-1).position}`,
    'event-without-money': '/ledger/events/1',
    history: `/ledger/accounts/${ann.account}`,
    balance: '/ledger/balance',
    customers: '/operator/customers',
    'customers-none': '/operator/customers?q=nobody-has-this-name',
    customer: customerPage,
    'customer-requests': `${customerPage}?show=requests`,
    'customer-movements': `${customerPage}?show=movements`,
    'customer-keys': `${customerPage}?show=keys`,
    'customer-limits': `${customerPage}?show=limits`,
    'customer-request': `/operator/requests/${data[0].id}`,
    people: '/operator/people',
    'people-none': '/operator/people?q=nobody-has-this-name',
    actions: '/operator/actions',
    'actions-people': '/operator/actions?show=people',
    'actions-none': '/operator/actions?about=acct_01k2h3j4k5m6n7p8q9r0s1t2v3',
    // An auditor has none of these, and is led away.
    invitations: '/operator/invitations',
    mails: '/operator/mails',
  }
  eve = await auditor()
})
after(async () => {
  await browser?.close()
  const worst = (of) => figures.reduce((most, page) => (page[of] > most[of] ? page : most))
  if (figures.length > 0) console.log('the worst of', figures.length, 'pages:', worst('paintMs'), worst('shift'), worst('scriptBytes'))
})

const faces = [
  { width: 1440, height: 900, dark: false, language: 'en' },
  { width: 1440, height: 900, dark: true, language: 'ru' },
  { width: 390, height: 844, dark: false, language: 'ru' },
  { width: 390, height: 844, dark: true, language: 'en' },
]

const settled = (page) => page.waitForFunction(() => document.querySelector('h1') !== null && document.querySelector('.skeleton') === null)

for (const face of faces) {
  const called = `${face.width} px, ${face.dark ? 'dark' : 'light'}, ${face.language}`
  const suffix = `${face.width}-${face.dark ? 'dark' : 'light'}-${face.language}`

  test(`pages before the sign-in: ${called}`, async () => {
    const { page, wrong, context } = await visit(browser, face)
    for (const path of OUTSIDE) {
      await page.goto('about:blank')
      await page.goto(url + path)
      await settled(page)
      await swift(page, path, () => page.reload().then(() => settled(page)))
      await accessible(page, path)
      await sound(page, path, face.language)
      await fits(page, path)
      await shot(page, `${path.slice(1).replaceAll(/[^a-z]+/g, '-')}-${suffix}`)
    }
    // A token that does not work is refused, and that is told; everything else is fine.
    assert.deepEqual(wrong.filter((text) => !/status of 4\d\d/.test(text)), [])
    await context.close()
  })

  test(`a customer's pages: ${called}`, async () => {
    const { page, wrong, context } = await visit(browser, face)
    await signIn(page, ann.email)
    await walk(page, pages, suffix, face.language)
    assert.deepEqual(wrong, [])
    await context.close()
  })

  test(`an operator's pages: ${called}`, async () => {
    const { page, wrong, context } = await visit(browser, face)
    const admin = people.admin()
    await signIn(page, admin.email, admin.password)
    await walk(page, operatorPages, suffix, face.language)
    assert.deepEqual(wrong, [])
    await context.close()
  })

  // What differs from the operator’s pages is only what is left out, so two faces are enough.
  if (face.language === 'ru') continue
  test(`the same pages as an auditor sees them: ${called}`, async () => {
    const { page, wrong, context } = await visit(browser, face)
    await signIn(page, eve.email)
    await walk(page, operatorPages, `auditor-${suffix}`, face.language)
    assert.deepEqual(wrong, [])
    await context.close()
  })
}

async function walk(page, paths, suffix, language) {
  for (const [name, path] of Object.entries(paths)) {
    await page.goto(url + path)
    await settled(page)
    await swift(page, name, () => page.reload().then(() => settled(page)))
    await accessible(page, name)
    if (name !== 'new-key') await sound(page, name, language)
    await fits(page, name)
    await shot(page, `${name}-${suffix}`)
    const text = await page.locator('body').innerText()
    assert.ok(!/undefined|NaN|\[object/.test(text), `${name} says ${/.{0,30}(undefined|NaN|\[object).{0,30}/.exec(text)?.[0]}`)
  }
}

test('on a phone the navigation is a drawer that the keyboard opens and closes', async () => {
  const { page, wrong, context } = await visit(browser, { width: 390, height: 844 })
  await signIn(page, ann.email)
  const button = page.getByRole('button', { name: 'Open navigation' })
  await button.press('Enter')
  const drawer = page.getByRole('dialog', { name: 'Navigation' })
  await drawer.waitFor()
  await accessible(page, 'the drawer')
  await page.keyboard.press('Escape')
  await drawer.waitFor({ state: 'detached' })
  await button.press('Enter')
  await drawer.getByRole('link', { name: 'Billing' }).click()
  await page.getByRole('heading', { name: 'Billing', level: 1 }).waitFor()
  await drawer.waitFor({ state: 'detached' })
  assert.deepEqual(wrong, [])
  await context.close()
})

test('the language and the theme are switched at once and kept', async () => {
  const { page, wrong, context } = await visit(browser)
  await signIn(page, ann.email)
  await page.getByRole('button', { name: 'Account menu' }).click()
  await page.getByRole('menuitemradio', { name: 'Русский' }).click()
  await page.getByRole('heading', { name: 'Обзор' }).waitFor()
  await page.getByRole('button', { name: 'Меню пользователя' }).click()
  await page.getByRole('menuitemradio', { name: 'Тёмная' }).click()
  await page.reload()
  await page.getByRole('heading', { name: 'Обзор' }).waitFor()
  const root = page.locator('html')
  assert.deepEqual([await root.getAttribute('lang'), await root.getAttribute('data-theme')], ['ru', 'dark'])
  assert.deepEqual(wrong, [])
  await context.close()
})

test('the server guards its pages and keeps its files for ever', async () => {
  const page = await fetch(`${url}/keys`, { headers: { accept: 'text/html' } })
  const policy = page.headers.get('content-security-policy')
  assert.match(policy, /default-src 'none'; script-src 'self';/)
  assert.ok(!/unsafe|https?:/.test(policy), policy)
  assert.match(policy, /frame-ancestors 'none'/)
  assert.deepEqual(
    ['x-content-type-options', 'referrer-policy', 'cache-control'].map((name) => page.headers.get(name)),
    ['nosniff', 'no-referrer', 'no-cache'],
  )
  const script = /src="(\/assets\/[^"]+\.js)"/.exec(await page.text())[1]
  const file = await fetch(url + script, { headers: { 'accept-encoding': 'br' } })
  assert.deepEqual(
    ['cache-control', 'content-encoding', 'content-type'].map((name) => file.headers.get(name)),
    ['public, max-age=31536000, immutable', 'br', 'text/javascript; charset=utf-8'],
  )
  const gone = await fetch(`${url}/assets/gone-0123abcd.js`, { headers: { accept: 'text/html' } })
  assert.equal(gone.status, 404)
  const api = await fetch(`${url}/v1/nothing`, { headers: { accept: 'text/html' } })
  assert.equal(api.status, 404)
  assert.match(api.headers.get('content-type'), /json/)
})
