// What a first visit weighs and how soon it shows something, on this machine's Chromium: far from the limits, so that a
// busy machine fails nothing, and a page that became three times as slow does.

import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { chat, customer, ended, launch, signIn, url, visit } from './harness.mjs'

const REQUESTS = 120
const LCP_MS = 1_500
const INTERACTION_MS = 100

let browser
let ann
before(async () => {
  browser = await launch()
  ann = await customer()
  for (let sent = 0; sent < REQUESTS; sent += 12) await Promise.all(Array.from({ length: 12 }, () => chat(ann.key)))
  await ended(ann.session, REQUESTS)
})
after(() => browser?.close())

/** The best of three: what the page needs, not what else the machine was doing. */
async function best(measure) {
  const times = []
  for (let round = 0; round < 3; round += 1) times.push(await measure())
  return Math.min(...times)
}

const largestPaint = () =>
  new Promise((resolve) => {
    new PerformanceObserver((list) => resolve(list.getEntries().at(-1).startTime)).observe({ type: 'largest-contentful-paint', buffered: true })
  })

test('the largest thing of the first page and of the overview is there in time', async () => {
  for (const path of ['/login', '/']) {
    const time = await best(async () => {
      const { page, context } = await visit(browser)
      if (path === '/') await signIn(page, ann.email)
      await page.goto(url + path)
      await page.locator('h1').first().waitFor()
      await page.waitForLoadState('networkidle')
      const painted = await page.evaluate(largestPaint)
      await context.close()
      return painted
    })
    assert.ok(time <= LCP_MS, `${path}: ${Math.round(time)} ms`)
  }
})

test('a click is answered in time', async (t) => {
  const { page, context } = await visit(browser)
  await signIn(page, ann.email)
  await page.waitForLoadState('networkidle')
  await page.evaluate(() => {
    globalThis.slowest = 0
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) globalThis.slowest = Math.max(globalThis.slowest, entry.duration)
    }).observe({ type: 'event', durationThreshold: 16 })
  })
  const time = await best(async () => {
    await page.evaluate(() => {
      globalThis.slowest = 0
    })
    for (const name of ['API keys', 'Usage', 'Requests', 'Overview']) {
      await page.getByRole('link', { name, exact: true }).click()
      await page.getByRole('heading', { name, level: 1 }).waitFor()
    }
    return page.evaluate(() => globalThis.slowest)
  })
  assert.ok(time <= INTERACTION_MS, `${time} ms`)
  t.diagnostic(`another page: ${time} ms`)

  const things = {
    'a dialog': async () => {
      await page.getByRole('button', { name: 'Create a key' }).first().click()
      await page.getByRole('dialog').waitFor()
      await page.keyboard.press('Escape')
    },
    'a menu': async () => {
      await page.getByRole('button', { name: 'Account menu' }).click()
      await page.getByRole('menuitem', { name: 'Sign out' }).waitFor()
      await page.keyboard.press('Escape')
    },
    'another theme': async () => {
      await page.getByRole('button', { name: 'Account menu' }).click()
      await page.getByRole('menuitemradio', { name: 'Dark' }).click()
    },
  }
  await page.getByRole('link', { name: 'API keys', exact: true }).click()
  for (const [name, act] of Object.entries(things)) {
    const taken = await best(async () => {
      await page.evaluate(() => {
        globalThis.slowest = 0
      })
      await act()
      return page.evaluate(() => globalThis.slowest)
    })
    assert.ok(taken <= INTERACTION_MS, `${name}: ${taken} ms`)
    t.diagnostic(`${name}: ${taken} ms`)
  }
  await context.close()
})

test('of a long log only the rows in sight exist, and more come by scrolling', async () => {
  const { page, wrong, context } = await visit(browser)
  await signIn(page, ann.email)
  await page.goto(`${url}/requests`)
  const table = page.getByRole('table', { name: 'Requests' })
  await table.getByRole('row').nth(5).waitFor()
  assert.ok((await table.getByRole('row').count()) < 60)
  for (let scrolled = 0; scrolled < 20; scrolled += 1) await page.mouse.wheel(0, 1_000)
  await page.waitForFunction((most) => Number(document.querySelector('[role=table]')?.getAttribute('aria-rowcount')) === most + 1, REQUESTS)
  await table.locator(`[aria-rowindex="${REQUESTS + 1}"]`).waitFor()
  assert.ok((await table.getByRole('row').count()) < 60)
  assert.deepEqual(wrong, [])
  await context.close()
})

test('a first visit asks for little script', async () => {
  const { page, context } = await visit(browser)
  let bytes = 0
  page.on('response', async (response) => {
    if (!response.url().endsWith('.js')) return
    const { responseBodySize } = await response.request().sizes()
    bytes += responseBodySize
  })
  await page.goto(`${url}/login`, { waitUntil: 'networkidle' })
  assert.ok(bytes > 10_000 && bytes <= 200_000, `${bytes} bytes`)
  await context.close()
})
