// A browser, people, and what every page has to be: without errors, without a request to another host, accessible.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium } from 'playwright-core'

export const { TOLLGATE_URL: url, CHROMIUM = '/usr/bin/chromium', SHOTS } = process.env
export const PASSWORD = 'correct horse battery'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const shots = new URL('./shots/', import.meta.url).pathname

export const launch = () =>
  chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--headless',
      // Everything that is opened here comes from this machine; as root there is no sandbox.
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })

/** A visitor of their own: cookies, theme, language and width. What went wrong is collected in `wrong`. */
export async function visit(browser, { width = 1440, height = 900, dark = false, language = 'en' } = {}) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
    locale: language === 'ru' ? 'ru-RU' : 'en-US',
    permissions: ['clipboard-read', 'clipboard-write'],
  })
  const page = await context.newPage()
  page.setDefaultTimeout(15_000)
  const wrong = []
  await page.route('**/*', (route) => {
    const target = route.request().url()
    if (target.startsWith(`${url}/`) || target.startsWith('data:') || target.startsWith('blob:')) return route.continue()
    wrong.push(`asked for ${target}`)
    return route.abort()
  })
  page.on('pageerror', (error) => wrong.push(String(error)))
  page.on('console', (message) => message.type() === 'error' && wrong.push(message.text()))
  return { context, page, wrong }
}

/** Signs in by the form. */
export async function signIn(page, email, password = PASSWORD, path = '/') {
  await page.goto(url + path)
  await page.locator('input[name=email]').fill(email)
  await page.locator('input[name=password]').fill(password)
  await page.locator('button[type=submit]').click()
  await page.locator('main#content h1').first().waitFor()
}

/** No violation of the accessibility rules that is serious or worse. */
export async function accessible(page, name) {
  // The policy of the page lets no script in: it comes by the debugger's door.
  await page.evaluate(axe)
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'], rules: { 'target-size': { enabled: true } } }))
  const serious = found.violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
  const told = serious.map(({ id, help, nodes }) => `${id}: ${help}\n    ${nodes.slice(0, 4).map((node) => node.html.slice(0, 160)).join('\n    ')}`)
  assert.deepEqual(told, [], `axe on ${name}`)
}

/** What a first visit of this page may take: the largest paint, what moved after it was drawn, and script as it came. */
export const LIMITS = { paintMs: 1_500, shift: 0.1, scriptBytes: 200_000 }

/** How the page that is open came about. */
const loaded = () => {
  const seen = (type) =>
    new Promise((resolve) => {
      new PerformanceObserver((list) => resolve(list.getEntries())).observe({ type, buffered: true })
      setTimeout(() => resolve([]), 300)
    })
  const scripts = performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('.js'))
  return Promise.all([seen('largest-contentful-paint'), seen('layout-shift')]).then(([paints, shifts]) => ({
    paintMs: paints.at(-1)?.startTime ?? 0,
    shift: shifts.reduce((sum, { value, hadRecentInput }) => sum + (hadRecentInput ? 0 : value), 0),
    scriptBytes: scripts.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0),
  }))
}

/** The figures of every page that was measured, for a summary. */
export const figures = []

/** A page comes soon and stands still. A busy machine gets two more tries, with `again` to load it once more. */
export async function swift(page, name, again) {
  let best = await page.evaluate(loaded)
  for (let tries = 0; tries < 2 && best.paintMs > LIMITS.paintMs; tries += 1) {
    await again()
    const next = await page.evaluate(loaded)
    best = { ...next, paintMs: Math.min(best.paintMs, next.paintMs), shift: Math.max(best.shift, next.shift) }
  }
  figures.push({ name, ...best })
  for (const [what, most] of Object.entries(LIMITS)) assert.ok(best[what] <= most, `${name}: ${what} is ${best[what]}`)
}

/** A page says what it is and in which language, and its headings are in order. */
export async function sound(page, name, language) {
  const { title, lang, viewport, description, levels, ids } = await page.evaluate(() => {
    const meta = (of) => document.querySelector(`meta[name=${of}]`)?.getAttribute('content') ?? ''
    const shown = [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].filter((heading) => heading.closest('[aria-hidden=true]') === null)
    const all = [...document.querySelectorAll('[id]')].map(({ id }) => id)
    return {
      title: document.title,
      lang: document.documentElement.lang,
      viewport: meta('viewport'),
      description: meta('description'),
      levels: shown.map(({ tagName }) => Number(tagName.slice(1))),
      ids: all.filter((id, at) => all.indexOf(id) !== at),
    }
  })
  assert.match(title, /^.+ · Tollgate$/, name)
  assert.equal(lang, language, name)
  assert.match(viewport, /width=device-width/, name)
  assert.ok(!/user-scalable=no|maximum-scale/.test(viewport) && description.length > 20, name)
  assert.deepEqual(ids, [], `ids on ${name}`)
  assert.equal(levels.filter((level) => level === 1).length, 1, `${name} has one title`)
  // In a dialog its own title comes first: the page behind it is hidden.
  levels.reduce((before, level) => {
    assert.ok(level <= before + 1, `${name} goes from h${before} to h${level}`)
    return level
  })
}

export async function shot(page, name) {
  if (SHOTS === undefined) return
  mkdirSync(shots, { recursive: true })
  // A log of thousands is as tall: its beginning is enough.
  const height = await page.evaluate(() => Math.min(document.documentElement.scrollHeight, 2_400))
  const width = page.viewportSize().width
  await page.screenshot({ path: `${shots}${name}.png`, fullPage: true, clip: { x: 0, y: 0, width, height } })
}

/** Nothing may be wider than the screen. */
export async function fits(page, name) {
  const [content, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth])
  assert.ok(content <= screen, `${name} is ${content} px wide on a screen of ${screen}`)
}

export async function call(method, path, token, body) {
  const headers = { 'content-type': 'application/json' }
  if (token) headers.authorization = `Bearer ${token}`
  const answer = await fetch(url + path, { method, headers, body: body && JSON.stringify(body) })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
  return text === '' ? null : JSON.parse(text)
}

const secret = (name) => readFileSync(`${process.env.TOLLGATE_SECRETS}/${name}`, 'utf8').trim()

export const people = {
  admin: () => ({ email: 'admin@tollgate.local', password: secret('admin-password') }),
  demo: () => ({ email: 'demo@tollgate.local', password: secret('demo-password') }),
  demoKey: () => secret('demo-key'),
}

export async function token({ email, password }) {
  return (await call('POST', '/v1/auth/login', null, { email, password })).access_token
}

let adminToken

/** What the operator does by the API. */
export async function topUp(account, dollars) {
  adminToken ??= await token(people.admin())
  const body = { amount_usd: dollars, reference: `invoice ${randomUUID()}` }
  return call('POST', `/v1/admin/clients/${account}/top-ups`, adminToken, body)
}

/** A customer with money, a key and some requests, all made by the API. */
export async function customer(dollars = '25') {
  const email = `ann-${randomUUID()}@example.com`
  await call('POST', '/v1/auth/register', null, { email, password: PASSWORD, name: 'Ann' })
  const session = await token({ email, password: PASSWORD })
  const { account_id: account } = await call('GET', '/v1/auth/me', session)
  await topUp(account, dollars)
  const { key } = await call('POST', '/v1/auth/api-keys', session, { name: 'laptop' })
  return { email, password: PASSWORD, account, key, session }
}

/** What the operator does besides. */
export async function operate(method, path, body) {
  adminToken ??= await token(people.admin())
  return call(method, path, adminToken, body)
}

/** Somebody who may read the books and change nothing. */
export async function auditor() {
  const email = `audit-${randomUUID()}@example.com`
  await call('POST', '/v1/auth/register', null, { email, password: PASSWORD, name: 'Auditor' })
  const { user_id: user } = await call('GET', '/v1/auth/me', await token({ email, password: PASSWORD }))
  await operate('PUT', `/v1/admin/users/${user}/role`, { role: 'auditor' })
  return { email, password: PASSWORD }
}

/** The requests of a customer once there are so many: they are charged after their answers. */
export async function ended(session, count) {
  for (const end = Date.now() + 15_000; ; ) {
    const { data } = await call('GET', '/v1/client/requests?limit=200', session)
    if (data.length >= count) return data
    if (Date.now() > end) throw new Error(`only ${data.length} of ${count} requests have ended`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

export const chat = (key, model = 'openai/gpt-4o-mini', content = 'What is double-entry bookkeeping?') =>
  call('POST', '/v1/chat/completions', key, { model, messages: [{ role: 'user', content }], max_tokens: 60 })
