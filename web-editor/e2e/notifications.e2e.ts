import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
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

describe('a page of somebody else', () => {
  it('is told over a WebSocket, by the token that it offers', async () => {
    const made = await on.server.api('POST', '/api-keys', { name: 'wallboard', scopes: ['runs:read'] })
    const { token } = (await made.json()) as { token: string }
    const page = await on.open({ at: '/' })
    const wallboard = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end('<title>Wallboard</title>')).listen(0, '127.0.0.1')
    onTestFinished(() => void wallboard.close())
    await once(wallboard, 'listening')
    await page.goto(`http://127.0.0.1:${(wallboard.address() as AddressInfo).port}/`)
    const connect = (address: string, token: string) =>
      page.evaluate(
        ([address, token]) =>
          new Promise<string>((done) => {
            const socket = new WebSocket(address ?? '', ['windflow', `bearer.${token}`])
            socket.onopen = () => done(socket.protocol)
            socket.onerror = () => done('refused')
            ;(window as { told?: Promise<string> }).told = new Promise((told) => (socket.onmessage = ({ data }) => told(String(data))))
          }),
        [address, token],
      )
    const address = `${on.server.url.replace('http', 'ws')}/api/v1/notifications/ws`
    expect(await connect(address, `${token}x`)).toBe('refused')
    expect(await connect(address, token)).toBe('windflow')
    await start('failing')
    const told = await page.evaluate(() => (window as { told?: Promise<string> }).told)
    expect(JSON.parse(told ?? '')).toMatchObject({ kind: 'run_failed', workflow: 'failing' })
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
