// Lighthouse on the served binary: every main screen, as somebody sees it who was never there. Figures go to stdout as a table.
// RUNS measures each screen that often and shows the median by performance; ONLY is a part of the names of the screens to measure;
// SLOW measures all of them as a slow phone does, and not the sign-in only.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { stage } from '../../web-editor/e2e/browser'
import { owner } from '../../web-editor/e2e/windflow'
import { furnish } from './screens.mts'

interface Audit {
  title: string
  score: number | null
  scoreDisplayMode: string
  displayValue?: string
  details?: { items?: { transferSize?: number }[] }
}
interface Report {
  categories: Record<string, { score: number | null; auditRefs: { id: string; weight: number }[] }>
  audits: Record<string, Audit>
  runtimeError?: { message: string }
}
interface Page {
  goto(url: string): Promise<unknown>
  type(selector: string, text: string): Promise<void>
  click(selector: string): Promise<void>
  waitForSelector(selector: string): Promise<unknown>
  evaluate(work: () => Promise<void>): Promise<void>
  createCDPSession(): Promise<{ send(method: string): Promise<unknown> }>
}
type Lighthouse = (url: string, flags: object, config: undefined, page: Page) => Promise<{ lhr: Report }>
type Puppeteer = { connect(options: object): Promise<{ newPage(): Promise<Page>; disconnect(): Promise<void> }> }

const folder = process.env.LIGHTHOUSE
if (!folder || !existsSync(folder)) throw new Error('LIGHTHOUSE names the folder of the package.')
const from = async <T,>(name: string) => ((await import(createRequire(`${folder}/`).resolve(name))) as { default: T }).default
const lighthouse = await from<Lighthouse>('lighthouse')
const puppeteer = await from<Puppeteer>('puppeteer-core')

const categories = ['performance', 'accessibility', 'best-practices']
const desk = { formFactor: 'desktop', screenEmulation: { mobile: false, width: 1350, height: 940, deviceScaleFactor: 1, disabled: false }, throttling: { rttMs: 40, throughputKbps: 10_240, cpuSlowdownMultiplier: 1, requestLatencyMs: 0, downloadThroughputKbps: 0, uploadThroughputKbps: 0 } }
const times = Math.max(1, Number(process.env.RUNS ?? 1))
const only = process.env.ONLY ?? ''
const port = 9333
const on = await stage({ flags: [`--remote-debugging-port=${port}`] })
const screens = await furnish(on.server)
const browser = await puppeteer.connect({ browserURL: `http://127.0.0.1:${port}`, defaultViewport: null })
const page = await browser.newPage()

/** Nothing is kept but the session. */
async function forget() {
  await page.evaluate(async () => {
    for (const one of await navigator.serviceWorker.getRegistrations()) await one.unregister()
    for (const name of await caches.keys()) await caches.delete(name)
  })
  await (await page.createCDPSession()).send('Network.clearBrowserCache')
}

const score = (report: Report, category: string) => Math.round((report.categories[category]?.score ?? 0) * 100)

async function once(path: string, slow: boolean): Promise<Report> {
  await forget()
  // Streams of what happens never end: without a bound each screen would wait for that.
  const flags = { onlyCategories: categories, disableStorageReset: true, maxWaitForLoad: 12_000, ...(slow ? {} : desk) }
  const { lhr } = await lighthouse(`${on.url}${path}`, flags, undefined, page)
  if (lhr.runtimeError) throw new Error(`${path}: ${lhr.runtimeError.message}`)
  return lhr
}

/** What costs points: of performance the figures in the table say it. */
const weak = (report: Report) =>
  categories.slice(1).flatMap((category) => report.categories[category]?.auditRefs ?? []).flatMap(({ id, weight }) => {
    const audit = report.audits[id]
    return weight && audit && audit.score !== null && audit.score < 0.9 ? [audit.title] : []
  })

async function measure(name: string, path: string, slow = false) {
  if (!name.includes(only)) return
  const reports: Report[] = []
  for (let time = 0; time < times; time++) reports.push(await once(path, slow))
  const report = reports.sort((a, b) => score(a, 'performance') - score(b, 'performance'))[Math.floor(times / 2)]!
  const shown = (audit: string) => report.audits[audit]?.displayValue ?? '-'
  const requests = report.audits['network-requests']?.details?.items ?? []
  if (process.env.SHOW_REQUESTS) for (const one of requests) console.log(one)
  const bytes = requests.reduce((sum, one) => sum + (one.transferSize ?? 0), 0)
  const figures = [...categories.map((category) => score(report, category)), shown('first-contentful-paint'), shown('largest-contentful-paint'), shown('total-blocking-time'), shown('cumulative-layout-shift'), requests.length, `${Math.round(bytes / 1000)} kB`]
  console.log(`| ${name} | ${figures.join(' | ')} |${weak(report).map((title) => ` ${title};`).join('')}`)
}

console.log('| Screen | performance | accessibility | best practices | first paint | largest paint | blocked | shift | requests | transferred |\n|---|---|---|---|---|---|---|---|---|---|')
await page.goto(`${on.url}/sign-in`)
// The first of all pays for the start of the browser.
await once('/sign-in', false)
await measure('sign-in', '/sign-in')
await measure('sign-in, slow phone', '/sign-in', true)
await page.goto(`${on.url}/sign-in`)
await page.waitForSelector('form:not(.first form) input[type=email]')
await page.type('input[type=email]', owner.email)
await page.type('input[type=password]', owner.password)
await page.click('button[type=submit]')
await page.waitForSelector('#content')
for (const [name, path] of screens) {
  await measure(name, path)
  if (process.env.SLOW) await measure(`${name}, slow phone`, path, true)
}
await browser.disconnect()
await on.close()
process.exit(0)
