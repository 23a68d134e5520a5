// Pictures of every page: `frontend/e2e/run node e2e/shots.mjs [name…]`.
process.env.SHOTS = '1'
const { call, chat, customer, launch, shot, signIn, url, visit } = await import('./harness.mjs')

const MODELS = ['openai/gpt-4o-mini', 'anthropic/claude-sonnet-4', 'google/gemini-2.5-flash', 'openai/gpt-4.1']
const PAGES = (process.argv[2] ?? '/,/keys,/usage,/requests,/requests/ID,/billing,/billing/statements/MONTH,/models,/models/playground,/settings').split(',')
const FACES = [
  { width: 1440, dark: false, language: 'en' },
  { width: 1440, dark: true, language: 'ru' },
  { width: 390, height: 844, dark: false, language: 'ru' },
  { width: 390, height: 844, dark: true, language: 'en' },
]

const ann = await customer()
for (let request = 0; request < 24; request += 1) await chat(ann.key, MODELS[request % MODELS.length]).catch((error) => console.log(error.message))
const { data: requests } = await call('GET', '/v1/client/requests', ann.session)
const fill = (path) => path.replace('ID', requests[0].id).replace('MONTH', new Date().toISOString().slice(0, 7))
const browser = await launch()
for (const face of FACES) {
  const { page, wrong, context } = await visit(browser, face)
  const name = (path) => `${path.replaceAll('/', '_').slice(1) || 'overview'}-${face.width}-${face.dark ? 'dark' : 'light'}-${face.language}`
  if (process.argv[2] === undefined) {
    for (const path of ['/login', '/register', '/reset-password', '/verify-email']) {
      await page.goto(url + path, { waitUntil: 'networkidle' })
      await shot(page, name(path))
    }
  }
  await signIn(page, ann.email)
  for (const path of PAGES) {
    await page.evaluate((to) => { history.pushState(null, '', to); dispatchEvent(new PopStateEvent('popstate')) }, fill(path))
    await page.mouse.move(0, 0)
    await page.waitForTimeout(1200)
    await shot(page, name(path))
  }
  if (wrong.length > 0) console.log(face, wrong)
  await context.close()
}
await browser.close()
