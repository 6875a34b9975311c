import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibilityProblems, shot, stage, type Stage } from './browser'
import { release } from './workflows'

const failing = `windflow: 1
name: failing
nodes:
  stop: { uses: fail@1, with: { message: "<script>alert(1)</script> is down" } }
`

let on: Stage
beforeAll(async () => {
  on = await stage()
  for (const text of [failing, release]) expect((await on.server.api('POST', '/workflows', text, 'application/yaml')).status).toBe(201)
})
afterAll(() => on?.close())
const start = (name: string) => on.server.api('POST', `/workflows/${name}/runs`, '{}', 'application/json')

describe('the bell', () => {
  it('tells of runs that fail and that ask, as it happens, and of what one wants to hear', async () => {
    const page = await on.open({ at: '/' })
    const dialogs: string[] = []
    page.on('dialog', (dialog) => void (dialogs.push(dialog.message()), dialog.dismiss()))
    await page.getByRole('button', { name: 'Notifications', exact: true }).waitFor()
    await start('failing')
    await page.getByRole('button', { name: 'Notifications: 1 new' }).waitFor()
    await start('release')
    await page.getByRole('button', { name: 'Notifications: 2 new' }).click()
    const sheet = page.getByRole('region', { name: 'Notifications' })
    await sheet.getByText('<script>alert(1)</script> is down').waitFor()
    await sheet.getByText('waits for an answer').waitFor()
    await shot(page, 'notifications-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await sheet.getByLabel('Runs that ask').uncheck()
    await sheet.getByText('waits for an answer').waitFor({ state: 'hidden' })
    await sheet.getByLabel('Runs that ask').check()
    await page.keyboard.press('Escape')
    // Who has seen a failure is not told again; who is asked is.
    await page.getByRole('button', { name: 'Notifications: 1 new' }).click()
    await sheet.getByRole('link', { name: /release/ }).click()
    await page.waitForURL('**/runs/*')
    expect(dialogs).toEqual([])
  })

  it('is there on a phone, in French and in the dark', async () => {
    const page = await on.open({ at: '/runs', language: 'fr', theme: 'dark', width: 400, height: 800 })
    await page.getByRole('button', { name: /^Notifications/ }).click()
    await page.getByText('attend une réponse').waitFor()
    await shot(page, 'notifications-fr-dark-phone')
    expect(await accessibilityProblems(page)).toEqual([])
  })
})

describe('the application', () => {
  it('can be installed, and says so when the server is gone', async () => {
    const page = await on.open({ at: '/' })
    const manifest = await page.evaluate(async () => {
      const link = document.querySelector<HTMLLinkElement>('link[rel=manifest]')
      const found = (await (await fetch(link?.href ?? '')).json()) as { name: string; icons: { src: string }[] }
      const icons = await Promise.all(found.icons.map(async ({ src }) => (await fetch(src)).headers.get('content-type')))
      return { name: found.name, icons }
    })
    expect(manifest).toEqual({ name: 'WindFlow', icons: ['image/svg+xml', 'image/png', 'image/png', 'image/png'] })
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined))
    await page.reload()
    await page.locator('#content').waitFor()
    const kept = () => page.evaluate(async () => (await (await caches.open('windflow-1')).keys()).map(({ url }) => new URL(url).pathname))
    await expect.poll(kept).toContain('/offline.html')
    // Nothing that the server says is kept.
    expect((await kept()).filter((path) => !path.startsWith('/assets/'))).toEqual(['/offline.html'])
    await page.context().setOffline(true)
    await page.goto(`${on.url}/workflows`)
    await page.getByRole('heading', { name: 'The server cannot be reached' }).waitFor()
    await shot(page, 'offline')
    expect(await accessibilityProblems(page)).toEqual([])
    await page.context().setOffline(false)
    await page.getByRole('link', { name: /Try again/ }).click()
    await page.getByRole('heading', { level: 1, name: 'Workflows' }).waitFor()
  })
})
