import { mkdir } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { preview, type PreviewServer } from 'vite'
import { asServed } from './served'
import { owner, Windflow } from './windflow'

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
const artifacts = fileURLToPath(new URL('./artifacts/', import.meta.url))

export interface Stage {
  server: Windflow
  browser: Browser
  /** Where the editor is: the server itself, or the built files before a server that does not embed them. */
  url: string
  /** A fresh browser profile; each with its own storage. */
  open(options?: OpenOptions): Promise<Page>
  close(): Promise<void>
}

interface OpenOptions {
  language?: 'en' | 'fr'
  theme?: 'light' | 'dark'
  width?: number
  height?: number
  /** Opens signed in, at this place. */
  at?: string
  /** Who signs in; the owner where nobody is named. */
  as?: { email: string; password: string }
}

async function whereEditorIs(server: Windflow): Promise<{ url: string; stop: () => Promise<void> }> {
  const page = await fetch(`${server.url}/`, { headers: { accept: 'text/html' } })
  // `WINDFLOW_WEB=dist` takes what was built just now, whatever the binary carries.
  if (process.env.WINDFLOW_WEB !== 'dist' && page.ok && page.headers.get('content-type')?.startsWith('text/html')) return { url: server.url, stop: async () => undefined }
  if (process.env.WINDFLOW_WEB === 'embedded') throw new Error('This binary does not serve the editor.')
  process.env.WINDFLOW_URL = server.url
  const built: PreviewServer = await preview({ plugins: [asServed], root: fileURLToPath(new URL('..', import.meta.url)), preview: { port: 0, host: '127.0.0.1' } })
  const url = built.resolvedUrls?.local[0]?.replace(/\/$/, '')
  if (!url) throw new Error('The built editor is not served.')
  return { url, stop: () => built.close() }
}

/** A server, a browser, and the editor in it. */
export async function stage(options?: { withOwner?: boolean; flags?: string[] }): Promise<Stage> {
  const server = await Windflow.start(options)
  const editor = await whereEditorIs(server).catch(async (error: unknown) => {
    // Nobody else would stop it.
    await server.stop()
    throw error
  })
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium-headless-shell', args: [...flags, ...(options?.flags ?? [])] })
  const contexts: BrowserContext[] = []
  return {
    server,
    browser,
    url: editor.url,
    async open({ language = 'en', theme = 'light', width = 1440, height = 900, at, as } = {}) {
      const context = await browser.newContext({
        locale: language === 'fr' ? 'fr-FR' : 'en-GB',
        colorScheme: theme,
        viewport: { width, height },
        permissions: ['clipboard-read', 'clipboard-write'],
      })
      contexts.push(context)
      const page = await context.newPage()
      page.setDefaultTimeout(Number(process.env.E2E_TIMEOUT ?? 15_000))
      goesOn(page)
      if (at !== undefined) {
        await comesBack(page, editor.url, as)
        await page.goto(`${editor.url}${at}`)
        await page.locator('#content').waitFor()
      }
      return page
    },
    async close() {
      for (const context of contexts) await context.close()
      await browser.close()
      await editor.stop()
      await server.stop()
    },
  }
}

/**
 * A browser ends what is under way when the networks of its machine change, as they do while containers of whatever test come and go. A window then
 * asks for its page again by itself; without one nobody does.
 */
function goesOn(page: Page): void {
  const [go, reload] = [page.goto.bind(page), page.reload.bind(page)]
  const again = async <T>(ask: () => Promise<T>, left = 5): Promise<T> => {
    try {
      return await ask()
    } catch (error) {
      if (left === 0 || !/ERR_NETWORK_CHANGED|chrome-error:/.test(String(error))) throw error
      return again(ask, left - 1)
    }
  }
  page.goto = (...how) => again(() => go(...how))
  page.reload = (...how) => again(() => reload(...how))
}

/** Somebody who signed in on this device before. */
async function comesBack(page: Page, url: string, who = owner): Promise<void> {
  const answer = await page.request.post(`${url}/api/v1/auth/login`, { data: { ...who, cookie: true } })
  if (!answer.ok()) throw new Error(`${who.email} cannot sign in: ${await answer.text()}`)
  await page.addInitScript(() => {
    // Once, so that signing out is of some use.
    if (sessionStorage.getItem('came-back')) return
    sessionStorage.setItem('came-back', 'yes')
    localStorage.setItem('windflow.session', '1')
  })
}

/** Fills in the sign-in as a person does. The page comes back to where it was asked to be. */
export async function signIn(page: Page, who = owner): Promise<void> {
  // Until the application is there, the page has a sign-in of its own in each language.
  await page.locator('#app > :not(.first-page)').first().waitFor({ state: 'attached' })
  await page.locator('input[type=email]').fill(who.email)
  await page.locator('input[type=password]').fill(who.password)
  await page.locator('button[type=submit]').click()
  await page.locator('#content').waitFor()
}

/** Waits until the drawing is where it stays: a click on what is on its way lands on something else. */
export async function resting(page: Page): Promise<void> {
  const drawing = page.locator('.canvas[aria-busy=false]')
  await drawing.waitFor().catch(async () => {
    throw new Error(`${page.url()} has no drawing that rests: ${await page.locator('body').innerText()}`)
  })
  await still(page)
}

/** Saves as a person does, and waits until nothing is left to be saved. */
export async function save(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByRole('status').getByText('Saved', { exact: true }).waitFor()
}

/** Waits until what comes and goes has come and gone; what turns for ever is let be. */
async function still(page: Page): Promise<void> {
  await page.waitForFunction(() => document.getAnimations().every((one) => one.playState !== 'running' || one.effect?.getComputedTiming().iterations === Infinity))
}

/** A picture to look at: e2e/artifacts/<name>.png. */
export async function shot(page: Page, name: string): Promise<void> {
  await mkdir(artifacts, { recursive: true })
  await page.evaluate(() => document.fonts.ready)
  await still(page)
  await page.screenshot({ path: `${artifacts}${name}.png` })
}

const axeSource = readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe finds against WCAG 2.1 AA, in words. Where something came or went while it looked, it looks again: what is half there has no contrast. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  await page.evaluate(await axeSource)
  for (let left = 5; ; left -= 1) {
    await still(page)
    const { problems, moved } = await axe(page)
    if (problems.length === 0 || !moved || left === 0) return problems
  }
}

const axe = (page: Page) =>
  page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(options: object): Promise<{ violations: { id: string; help: string; nodes: { target: string[]; failureSummary: string }[] }[] }> } }
    let moved = false
    const moves = () => (moved = true)
    const beginnings = ['transitionrun', 'animationstart']
    for (const beginning of beginnings) document.addEventListener(beginning, moves, true)
    const { violations } = await axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] })
    for (const beginning of beginnings) document.removeEventListener(beginning, moves, true)
    return { moved, problems: violations.flatMap(({ id, help, nodes }) => nodes.map((node) => `${id}: ${help} at ${node.target.join(' ')}: ${node.failureSummary}`)) }
  })
