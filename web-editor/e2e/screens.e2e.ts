import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Page } from 'playwright-core'
import { accessibilityProblems, shot, stage, type Stage } from './browser'
import { release, shop, sleeper } from './workflows'

let on: Stage
const pages = new Map<string, Page>()
/** Each language and each theme once: what is wrong with one is wrong with it in the other's company, too. */
const desk = [1440, 900] as const
const looks = [
  ['en', 'light', [desk]],
  ['fr', 'dark', [[390, 780], [820, 1100], desk]],
] as const
beforeAll(async () => {
  on = await stage()
  await on.server.addWorkflow(release)
  await on.server.addWorkflow(sleeper)
  await on.server.api('POST', '/workflows/sleeper/enable')
  for (const name of ['release', 'sleeper']) await on.server.api('POST', `/workflows/${name}/runs`, {})
  await on.server.api('PUT', '/secrets/knock_token', { value: 'swordfish-7' })
  await on.server.api('POST', '/api-keys', { name: 'ci', scopes: ['runs:read'] })
  // Two targets that are not there: how a screen looks where nothing answers.
  await on.server.api('POST', '/targets', { name: 'edge-1', address: 'tcp://127.0.0.1:1', environment: 'production', groups: ['eu'], tags: ['gpu', 'lab'], description: 'First of the edge <b>one</b>' })
  await on.server.api('POST', '/targets', { name: 'here', address: 'unix:///nowhere/docker.sock', tags: ['lab'] })
  await on.server.api('POST', '/stacks', { name: 'shop', description: 'A shop <script>alert(1)</script>', text: shop })
  await on.server.api('PUT', '/stacks/shop', { text: shop.replace('nginx:1.28', 'nginx:1.29') })
  for (const [language, theme] of looks) pages.set(`${language}-${theme}`, await on.open({ language, theme, at: '/settings' }))
})
afterAll(() => on?.close())

const screens = ['/dashboard', '/runs', '/triggers', '/targets', '/stacks', '/stacks/shop', '/stacks/shop?view=versions', '/deployments', '/marketplace', '/marketplace/templates/wordpress-mysql', '/marketplace/templates/microservices?view=contents', '/marketplace/installed', '/marketplace/registries', '/credentials', '/secrets', '/plugins', '/plugins?type=http@1', '/users', '/api-keys', '/settings']

/** Waits until a screen says what it is; where it does not, tells what is there instead. */
const shown = (page: Page) =>
  page
    .getByRole('heading', { level: 1 })
    .waitFor()
    .catch(async () => {
      throw new Error(`${page.url()} has no heading: ${await page.locator('body').innerText()}`)
    })

/** What is wider than the screen that it is on. */
const tooWide = (page: Page) =>
  page.evaluate(() => {
    const content = document.querySelector('#content')
    return content ? content.scrollWidth - content.clientWidth : -1
  })

describe.each(screens)('%s', (path) => {
  it.each(looks)('is for everybody, in %s and %s', async (language, theme, sizes) => {
    const page = pages.get(`${language}-${theme}`)!
    for (const [at, [width, height]] of sizes.entries()) {
      await page.setViewportSize({ width, height })
      // Larger ones are the same page, made larger.
      if (at === 0) await page.goto(`${on.url}${path}`)
      await shown(page)
      // What is loading is no screen yet.
      await expect.poll(() => page.locator('#content .animate-spin').filter({ visible: true }).count(), { timeout: 10_000 }).toBeLessThan(path === '/runs' || path === '/dashboard' ? 20 : 1)
      await shot(page, `screen${path.replace(/\W+/g, '-')}-${language}-${theme}-${width}`)
      expect(await tooWide(page), `at ${width} pixels`).toBe(0)
      expect(await accessibilityProblems(page), `at ${width} pixels`).toEqual([])
    }
    // No key of a text that is missing.
    expect((await page.locator('#content').innerText()).match(/\b(runs|dashboard|targets|stacks|deployments|marketplace|triggers|credentials|secrets|plugins|users|apiKeys|settings|schema)\.[a-z]\w+(\.\w+)*/g) ?? []).toEqual([])
    expect(await page.evaluate(() => document.documentElement.lang)).toBe(language)
  })
})
