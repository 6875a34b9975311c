// Lighthouse on the served binary: the sign-in, then screens behind it. Figures go to stdout as a table.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { owner } from '../../web-editor/e2e/windflow'
import { stage } from '../../web-editor/e2e/browser'

interface Result {
  lhr: { categories: Record<string, { score: number | null }>; audits: Record<string, { displayValue?: string; numericValue?: number; details?: { items?: { transferSize?: number }[] } }> }
}
interface Page {
  goto(url: string): Promise<unknown>
  type(selector: string, text: string): Promise<void>
  click(selector: string): Promise<void>
  waitForSelector(selector: string): Promise<unknown>
  evaluate(work: () => Promise<void>): Promise<void>
  createCDPSession(): Promise<{ send(method: string): Promise<unknown> }>
}
type Lighthouse = (url: string, flags: object, config: undefined, page: Page) => Promise<Result>
type Puppeteer = { connect(options: object): Promise<{ newPage(): Promise<Page>; disconnect(): Promise<void> }> }

const folder = process.env.LIGHTHOUSE
if (!folder || !existsSync(folder)) throw new Error('LIGHTHOUSE names the folder of the package.')
const from = async <T,>(name: string) => ((await import(createRequire(`${folder}/`).resolve(name))) as { default: T }).default
const lighthouse = await from<Lighthouse>('lighthouse')
const puppeteer = await from<Puppeteer>('puppeteer-core')

const port = 9333
const on = await stage({ flags: [`--remote-debugging-port=${port}`] })
const chain = Array.from({ length: 200 }, (_, at) => `  n${at}: { uses: log@1${at ? `, needs: [n${Math.floor((at - 1) / 3)}]` : ''}, with: { message: "${at}" } }`).join('\n')
await on.server.api('POST', '/workflows', `windflow: 1\nname: large\nnodes:\n${chain}\n`, 'application/yaml')

const browser = await puppeteer.connect({ browserURL: `http://127.0.0.1:${port}`, defaultViewport: null })
const page = await browser.newPage()

/** As somebody sees it who was never here: nothing is kept but the session. */
async function forget() {
  await page.evaluate(async () => {
    for (const one of await navigator.serviceWorker.getRegistrations()) await one.unregister()
    for (const name of await caches.keys()) await caches.delete(name)
  })
  await (await page.createCDPSession()).send('Network.clearBrowserCache')
}

async function measure(name: string, path: string, slow: boolean) {
  await forget()
  const desk = { formFactor: 'desktop', screenEmulation: { mobile: false, width: 1350, height: 940, deviceScaleFactor: 1, disabled: false }, throttling: { rttMs: 40, throughputKbps: 10_240, cpuSlowdownMultiplier: 1, requestLatencyMs: 0, downloadThroughputKbps: 0, uploadThroughputKbps: 0 } }
  const { lhr } = await lighthouse(`${on.url}${path}`, { onlyCategories: ['performance', 'accessibility', 'best-practices'], disableStorageReset: true, ...(slow ? {} : desk) }, undefined, page)
  const score = (category: string) => Math.round((lhr.categories[category]?.score ?? 0) * 100)
  const shown = (audit: string) => lhr.audits[audit]?.displayValue ?? '-'
  const requests = lhr.audits['network-requests']?.details?.items ?? []
  if (process.env.SHOW_REQUESTS) for (const one of requests) console.log(one)
  const bytes = requests.reduce((sum, one) => sum + (one.transferSize ?? 0), 0)
  console.log(`| ${name} | ${score('performance')} | ${score('accessibility')} | ${score('best-practices')} | ${shown('first-contentful-paint')} | ${shown('largest-contentful-paint')} | ${shown('total-blocking-time')} | ${shown('cumulative-layout-shift')} | ${Math.round(bytes / 1000)} kB |`)
}

console.log('| Screen | performance | accessibility | best practices | first paint | largest paint | blocked | shift | transferred |\n|---|---|---|---|---|---|---|---|---|')
await page.goto(`${on.url}/sign-in`)
await measure('sign-in', '/sign-in', false)
await measure('sign-in, slow phone', '/sign-in', true)
await page.goto(`${on.url}/sign-in`)
await page.waitForSelector('input[type=email]')
await page.type('input[type=email]', owner.email)
await page.type('input[type=password]', owner.password)
await page.click('button[type=submit]')
await page.waitForSelector('#content')
await measure('dashboard', '/', false)
await measure('workflows', '/workflows', false)
await measure('editor, 200 nodes', '/workflows/large', false)
await browser.disconnect()
await on.close()
process.exit(0)
