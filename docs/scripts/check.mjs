// Looks at the built site in a real browser, as people see it: `npm run docs:check [-- --screenshots <directory>]`.
// On a phone and on a desktop, light and dark: no error in the console, no request that fails or leaves this machine,
// no link or anchor that leads nowhere, no page wider than the screen, a search that finds.
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'
import { serve } from './serve.mjs'

const { values: flags } = parseArgs({ options: { screenshots: { type: 'string' } } })
const dist = fileURLToPath(new URL('../.vitepress/dist', import.meta.url))
const executablePath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  (path) => path !== undefined && existsSync(path),
)
if (executablePath === undefined) fail(['There is no Chromium. On Debian: apt install chromium; elsewhere, name it in CHROMIUM'])
if (!existsSync(dist)) fail([`There is no site in ${dist}: npm run docs:build`])

/** For each step: on a busy machine a browser takes long to start. */
const patienceMs = 120_000
const problems = new Set()
const pages = readdirSync(dist, { recursive: true })
  .map(String)
  .filter((file) => file.endsWith('.html') && file !== '404.html')
  .sort()
checkLinks()

const site = await serve(dist)
const browser = await chromium.launch({
  executablePath,
  timeout: patienceMs,
  args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'],
})
try {
  const guide = pages.filter((page) => !page.startsWith('api/'))
  // Of the API, which is made by one template, some pages say what all would.
  const api = pages.filter((page) => page.startsWith('api/')).filter((_, index) => index % 25 === 0)
  await look('desktop', { viewport: { width: 1280, height: 800 } }, [...guide, ...api])
  await look('phone', { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }, [...guide, ...api])
  await look('dark', { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' }, ['index.html', 'concepts.html', 'threat-model.html'])
  await search()
} finally {
  await browser.close()
  site.close()
}
if (problems.size > 0) fail([...problems])
console.log(`${pages.length} pages: no broken link, no console error, no outside request, nothing wider than the screen`)

async function look(name, options, files) {
  const context = await newContext(options)
  const page = await context.newPage()
  watch(page, name)
  for (const file of files) {
    await page.goto(`${site.origin}/${file}`, { waitUntil: 'networkidle' })
    const { wide, missing } = await page.evaluate(() => ({
      wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      missing: [...document.images].filter((image) => image.complete && image.naturalWidth === 0).map(({ src }) => src),
    }))
    if (wide > 0) problems.add(`${name}: ${file} is ${wide} pixels wider than the screen`)
    for (const src of missing) problems.add(`${name}: ${file} shows no picture ${src}`)
    if (flags.screenshots !== undefined && !file.startsWith('api/')) {
      mkdirSync(flags.screenshots, { recursive: true })
      const path = join(flags.screenshots, `${name}-${file.replaceAll('/', '-').replace('.html', '.png')}`)
      await page.screenshot({ path, fullPage: true })
    }
  }
  await context.close()
}

/** Requests that leave are refused here, and are a problem: the site must be whole by itself. */
async function newContext(options) {
  const context = await browser.newContext(options)
  context.setDefaultTimeout(patienceMs)
  await context.route(
    (url) => url.origin !== site.origin,
    (route) => {
      problems.add(`a request leaves this machine: ${route.request().url()}`)
      return route.abort()
    },
  )
  return context
}

function watch(page, name) {
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') problems.add(`${name}: ${page.url()}: console: ${message.text()}`)
  })
  page.on('pageerror', (error) => problems.add(`${name}: ${page.url()}: ${error.message}`))
  page.on('response', (response) => {
    if (response.status() >= 400) problems.add(`${name}: ${response.url()} answers ${response.status()}`)
  })
}

async function search() {
  const context = await newContext({ viewport: { width: 1280, height: 800 } })
  const page = await context.newPage()
  watch(page, 'search')
  await page.goto(site.origin, { waitUntil: 'networkidle' })
  await page.keyboard.press('Control+k')
  await page.locator('#localsearch-input').fill('ERR_CONFINE_GUEST_ENDED')
  const results = page.locator('#localsearch-list li a')
  await results
    .first()
    .waitFor()
    .catch(() => problems.add('the search finds nothing'))
  if (flags.screenshots !== undefined) await page.screenshot({ path: join(flags.screenshots, 'search.png') })
  const found = await results.evaluateAll((links) => links.map((link) => link.getAttribute('href')))
  if (!found.some((href) => href.includes('errors'))) problems.add(`the search does not find the page on errors: ${found.join(' ')}`)
  await context.close()
}

/** Every link within the site leads to a page, and every anchor to a heading of it. */
function checkLinks() {
  const texts = new Map(pages.map((file) => [file, readFileSync(join(dist, file), 'utf8')]))
  const ids = new Map(
    [...texts].map(([file, text]) => [file, new Set([...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => unescaped(id)))]),
  )
  for (const [file, text] of texts) {
    for (const [, raw] of text.matchAll(/<a [^>]*href="([^"]+)"/g)) {
      const url = new URL(unescaped(raw), `http://site/${file}`)
      if (url.host !== 'site') continue
      const path = decodeURIComponent(url.pathname).slice(1)
      const target = path === '' || path.endsWith('/') ? `${path}index.html` : path
      if (!existsSync(join(dist, target))) problems.add(`${file}: the link ${raw} leads nowhere`)
      else if (url.hash.length > 1 && ids.has(target) && !ids.get(target).has(decodeURIComponent(url.hash.slice(1)))) {
        problems.add(`${file}: ${relative('.', target)} has no ${url.hash}`)
      }
    }
  }
}

function unescaped(text) {
  return text.replaceAll('&amp;', '&').replaceAll('&#39;', "'").replaceAll('&quot;', '"')
}

function fail(lines) {
  for (const line of lines) console.error(line)
  process.exit(1)
}
