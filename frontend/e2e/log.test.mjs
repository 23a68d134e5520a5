// A customer with 100,000 requests looks through them. The rows are put into the read model by one statement, because
// so many requests would take longer than all the other tests; they are taken out again before the books are audited.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import test, { after, before } from 'node:test'
import { chat, customer, ended, launch, signIn, url, visit } from './harness.mjs'

const ROWS = 100_000
/** So many are scrolled through. */
const FAR = 10_000
/** Above every position that this server reaches. */
const FIRST_POSITION = 1_000_000_000
/** Rows in sight, those kept ready beside them, and the head. */
const MOST_IN_PAGE = 60
// Far from what is measured on an idle machine: 17 ms a frame, 20 ms an answer.
const FRAME_MS = 100
const ANSWER_MS = 1_500

/** The server's own PostgreSQL, as its superuser. */
function sql(statement) {
  const secrets = process.env.TOLLGATE_SECRETS
  const data = new URL('../', `file://${secrets}/`)
  const home = new URL(`${readFileSync(new URL('postgres.path', data), 'utf8').trim()}/`, data)
  const socket = readFileSync(new URL('cluster/postmaster.pid', home), 'utf8').split('\n')[4]
  const password = readFileSync(`${secrets}/postgres-superuser-password`, 'utf8').trim()
  const options = ['--no-psqlrc', '--quiet', '--tuples-only', '--no-align', '--set=ON_ERROR_STOP=1', '--host', socket, '--username=postgres']
  return execFileSync('psql', [...options, '--command', statement, 'tollgate'], { encoding: 'utf8', env: { ...process.env, PGPASSWORD: password } }).trim()
}

const id = (prefix, n) => `${prefix}_01m8${n.toString(16).padStart(22, '0')}`

/** Copies of a customer's only request, every fifth of another model, with ids and amounts of their own. */
const copies = (account) => `
  INSERT INTO read.requests
  SELECT copy.* FROM read.requests r, generate_series(1, ${ROWS}) n, jsonb_populate_record(r, jsonb_build_object(
      'position', ${FIRST_POSITION} + n,
      'reservation_id', 'rsv_01m8' || lpad(to_hex(n), 22, '0'),
      'request_id', 'req_01m8' || lpad(to_hex(n), 22, '0'),
      'generation_id', 'gen-1795184218-' || lpad(to_hex(n), 20, '0'),
      'model', CASE WHEN n % 5 = 0 THEN 'anthropic/claude-sonnet-4' ELSE r.model END,
      'ended_at', r.ended_at - make_interval(secs => ${ROWS} - n),
      'charge', n * 0.00000001)) copy
  WHERE r.account_id = '${account}'`

let browser
let ann
before(async () => {
  browser = await launch()
  ann = await customer()
  await chat(ann.key)
  await ended(ann.session, 1)
  sql(copies(ann.account))
  sql('ANALYZE read.requests')
})
after(async () => {
  await browser?.close()
  sql(`DELETE FROM read.requests WHERE position >= ${FIRST_POSITION}`)
})

const rows = (page) => page.getByRole('table', { name: 'Requests' }).getByRole('row')
const known = () => Number(document.querySelector('[role=table]')?.getAttribute('aria-rowcount') ?? 0)

/** Goes to the end again and again until so many rows are known; gives how long each frame took, and the most rows that stood in the page. */
const scrollFar = async (far) => {
  const frames = []
  let most = 0
  let last = performance.now()
  for (const end = last + 120_000; last < end; ) {
    const table = document.querySelector('[role=table]')
    if (Number(table?.getAttribute('aria-rowcount')) > far) return { frames, most }
    scrollTo(0, document.documentElement.scrollHeight)
    const now = await new Promise(requestAnimationFrame)
    frames.push(now - last)
    last = now
    most = Math.max(most, table?.querySelectorAll('[role=row]').length ?? 0)
  }
  throw new Error('the end of the log does not come nearer')
}

/** Scrolls through what is known, a screen at a time. */
const scrollThrough = async (screens) => {
  const frames = []
  const step = (document.documentElement.scrollHeight - innerHeight) / screens
  let last = await new Promise(requestAnimationFrame)
  let empty = 0
  for (let screen = screens; screen > 0; screen -= 1) {
    scrollTo(0, screen * step)
    const now = await new Promise(requestAnimationFrame)
    frames.push(now - last)
    last = now
    if (document.querySelectorAll('[role=table] [role=row]').length < 10) empty += 1
  }
  return { frames, empty }
}

const median = (times) => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]

test('a log of 100,000 requests scrolls, page after page, without growing in the browser', async (t) => {
  const { page, wrong, context } = await visit(browser)
  const cursors = new Set()
  const sizes = []
  page.on('response', async (response) => {
    const asked = new URL(response.url())
    if (asked.pathname !== '/v1/client/requests' || asked.searchParams.get('limit') === '8') return
    cursors.add(asked.searchParams.get('cursor'))
    sizes.push((await response.json().catch(() => ({ data: [] }))).data.length)
  })
  await signIn(page, ann.email, undefined, '/requests')
  await rows(page).nth(5).waitFor()
  const far = await page.evaluate(scrollFar, FAR)
  assert.ok(far.most <= MOST_IN_PAGE, `${far.most} rows in the page`)
  assert.ok(cursors.size >= FAR / 200, `${cursors.size} pages were asked for`)
  assert.ok(Math.max(...sizes) <= 200)
  assert.ok(median(far.frames) <= FRAME_MS, `a frame took ${Math.round(median(far.frames))} ms while pages came`)
  const through = await page.evaluate(scrollThrough, 200)
  assert.equal(through.empty, 0, 'the screen is never empty')
  assert.ok(median(through.frames) <= FRAME_MS, `a frame took ${Math.round(median(through.frames))} ms`)
  t.diagnostic(`frames: ${median(far.frames).toFixed(1)} ms while loading, ${median(through.frames).toFixed(1)} ms among ${await page.evaluate(known)} rows; at most ${far.most} rows in the page`)

  // A request and back: the log stands where it stood.
  await page.evaluate(() => scrollTo(0, 400_000))
  const link = page.locator('[role=row][aria-rowindex="8340"]').getByRole('link')
  const opened = await link.getAttribute('href')
  await link.click()
  await page.waitForURL(`**${opened}`)
  await page.goBack()
  await page.locator(`[role=row][aria-rowindex="8340"] a[href="${opened}"]`).waitFor()
  assert.deepEqual(wrong, [])
  await context.close()
})

test('filters and the search answer among 100,000 requests', async (t) => {
  const { page, wrong, context } = await visit(browser)
  await signIn(page, ann.email, undefined, '/requests')
  const search = page.getByRole('searchbox')
  const timed = async (name, act, done) => {
    const answer = page.waitForResponse((response) => new URL(response.url()).pathname === '/v1/client/requests' && !response.url().includes('limit=8'))
    await act()
    const answered = await answer
    await answered.finished()
    const { responseEnd } = answered.request().timing()
    await done()
    assert.ok(responseEnd <= ANSWER_MS, `${name}: ${Math.round(responseEnd)} ms`)
    t.diagnostic(`${name}: ${Math.round(responseEnd)} ms`)
  }
  const count = (rows) => page.waitForFunction((most) => document.querySelector('[role=table]')?.getAttribute('aria-rowcount') === String(most + 1), rows)
  await rows(page).nth(5).waitFor()
  await timed('by id of the request', () => search.fill(id('req', 777)), () => count(1))
  await timed('by id of the reservation', () => search.fill(id('rsv', 50_000)), () => page.locator(`a[href="/requests/${id('rsv', 50_000)}"]`).waitFor())
  await timed('by nothing that there is', () => search.fill('no such model'), () => page.getByText('No request fits').waitFor())
  await timed('by a part of the model', () => search.fill('claude'), () => count(100))
  await page.goto(`${url}/requests`)
  await rows(page).nth(5).waitFor()
  await timed('what was corrected', () => page.getByLabel('State').selectOption('corrected'), () => page.getByText('No request fits').waitFor())
  assert.deepEqual(wrong, [])
  await context.close()
})
