// The pages of the gateway in a real browser. Nothing may come from another host: many gateways run
// where there is no other.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test, { after, before } from 'node:test'
import { chromium } from 'playwright-core'

const { TOLLGATE_URL: url, CHROMIUM = '/usr/bin/chromium' } = process.env
let browser

before(async () => {
  browser = await chromium.launch({
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
})
after(() => browser?.close())

/** Opens a page where only the gateway exists, and remembers what went wrong. */
async function open(path) {
  const page = await browser.newPage()
  page.setDefaultTimeout(15_000)
  const wrong = []
  await page.route('**/*', (route) => {
    const target = route.request().url()
    if (target.startsWith(`${url}/`) || target.startsWith('data:')) return route.continue()
    wrong.push(`asked for ${target}`)
    return route.abort()
  })
  page.on('pageerror', (error) => wrong.push(String(error)))
  page.on('console', (message) => message.type() === 'error' && wrong.push(message.text()))
  page.on('response', (response) => {
    // Browsers ask for an icon on their own.
    const missing = response.status() >= 400 && !response.url().endsWith('/favicon.ico')
    if (missing) wrong.push(`${response.status()} ${response.url()}`)
  })
  await page.goto(url + path, { waitUntil: 'networkidle' })
  return { page, wrong }
}

test('the first page says what runs here and leads to the docs', async () => {
  const { page, wrong } = await open('/')
  assert.match(await page.title(), /Tollgate/)
  await page.getByRole('link', { name: 'API documentation' }).first().click()
  await page.waitForURL('**/docs**')
  await page.getByText('/v1/chat/completions', { exact: true }).first().waitFor()
  assert.deepEqual(wrong, [])
})

test('the docs show every operation of the document', async () => {
  const { page, wrong } = await open('/docs')
  await page.locator('.opblock').first().waitFor()
  const document = JSON.parse(readFileSync('../../openapi/openapi.json', 'utf8'))
  const methods = ['get', 'post', 'put', 'patch', 'delete']
  const operations = Object.values(document.paths).flatMap((path) =>
    Object.keys(path).filter((name) => methods.includes(name)),
  )
  assert.equal(await page.locator('.opblock').count(), operations.length)
  await page.locator('#operations-models-create_chat_completion .opblock-summary-control').click()
  await page.getByText('Ask a model').first().waitFor()
  assert.deepEqual(wrong, [])
})

test('the docs can send a request', async () => {
  const { page, wrong } = await open('/docs')
  const health = page.locator('.opblock', { hasText: '/health' }).first()
  await health.locator('.opblock-summary-control').click()
  await health.getByRole('button', { name: 'Try it out' }).click()
  await health.getByRole('button', { name: 'Execute' }).click()
  await health.locator('.live-responses-table .response-col_status').getByText('200').waitFor()
  assert.deepEqual(wrong, [])
})
