// Lighthouse on the served binary: the sign-in, then screens behind it. Figures go to stdout as a table.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { stage } from '../../web-editor/e2e/browser'

interface Result {
  lhr: { categories: Record<string, { score: number | null }>; audits: Record<string, { displayValue?: string; numericValue?: number; details?: { items?: { transferSize?: number }[] } }> }
}
type Lighthouse = (url: string, flags: object) => Promise<Result>

const folder = process.env.LIGHTHOUSE
if (!folder || !existsSync(folder)) throw new Error('LIGHTHOUSE names the folder of the package.')
const lighthouse = ((await import(createRequire(`${folder}/`).resolve('lighthouse'))) as { default: Lighthouse }).default

const port = 9333
const on = await stage({ flags: [`--remote-debugging-port=${port}`] })
const chain = Array.from({ length: 200 }, (_, at) => `  n${at}: { uses: log@1${at ? `, needs: [n${Math.floor((at - 1) / 3)}]` : ''}, with: { message: "${at}" } }`).join('\n')
await on.server.api('POST', '/workflows', `windflow: 1\nname: large\nnodes:\n${chain}\n`, 'application/yaml')

async function measure(name: string, path: string, throttled: boolean) {
  const { lhr } = await lighthouse(`${on.url}${path}`, {
    port,
    onlyCategories: ['performance', 'accessibility', 'best-practices'],
    disableStorageReset: path !== '/sign-in',
    // As on a desk: a fast line, four times slower than here where it is throttled.
    ...(throttled ? { formFactor: 'mobile' } : { formFactor: 'desktop', screenEmulation: { mobile: false, width: 1350, height: 940, deviceScaleFactor: 1, disabled: false }, throttling: { rttMs: 40, throughputKbps: 10_240, cpuSlowdownMultiplier: 1, requestLatencyMs: 0, downloadThroughputKbps: 0, uploadThroughputKbps: 0 } }),
  })
  const score = (category: string) => Math.round((lhr.categories[category]?.score ?? 0) * 100)
  const shown = (audit: string) => lhr.audits[audit]?.displayValue ?? '-'
  const bytes = (lhr.audits['network-requests']?.details?.items ?? []).reduce((sum, one) => sum + (one.transferSize ?? 0), 0)
  console.log(`| ${name} | ${score('performance')} | ${score('accessibility')} | ${score('best-practices')} | ${shown('first-contentful-paint')} | ${shown('largest-contentful-paint')} | ${shown('total-blocking-time')} | ${shown('cumulative-layout-shift')} | ${Math.round(bytes / 1000)} kB |`)
}

console.log('| Screen | performance | accessibility | best practices | first paint | largest paint | blocked | shift | transferred |\n|---|---|---|---|---|---|---|---|---|')
await measure('sign-in', '/sign-in', false)
await measure('sign-in, slow phone', '/sign-in', true)
const page = await on.browser.newPage()
await page.goto(`${on.url}/`)
const { signIn } = await import('../../web-editor/e2e/browser')
await signIn(page)
await measure('dashboard', '/', false)
await measure('workflows', '/workflows', false)
await measure('editor, 200 nodes', '/workflows/large', false)
await on.close()
process.exit(0)
