import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibilityProblems, shot, stage, type Stage } from './browser'
import { Engine, skipDocker } from './docker'

let on: Stage
beforeAll(async () => (on = await stage()))
afterAll(() => on?.close())

describe('targets', () => {
  it('are imported line by line, filtered, given credentials that nobody sees again, and removed', async () => {
    const page = await on.open({ at: '/targets' })
    const dialog = page.getByRole('dialog')
    await page.getByRole('button', { name: 'Import CSV' }).click()
    await dialog.getByLabel('Lines').fill('name,address,environment,groups,tags,description\nedge-1,tcp://127.0.0.1:1,production,eu;edge,gpu,First <b>one</b>\nEdge 2,tcp://127.0.0.1:1,,,,\nedge-3,nowhere,,,,\nedge-4,tcp://127.0.0.1:2,staging,,,')
    await dialog.getByRole('button', { name: 'Import CSV' }).click()
    await dialog.getByText('2 of 4 lines made a target.').waitFor()
    expect(await dialog.getByRole('row').count()).toBe(5)
    await shot(page, 'targets-import-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await dialog.getByRole('button', { name: 'Close', exact: true }).click()
    await dialog.waitFor({ state: 'hidden' })
    await page.getByText('2 targets').waitFor()
    await page.getByLabel('Environment').selectOption('production')
    await page.getByText('one target').waitFor()
    await page.getByLabel('Tags').selectOption('gpu')
    await page.getByText('First <b>one</b>').waitFor()

    await page.getByRole('button', { name: 'Change edge-1' }).click()
    await dialog.getByLabel('Its key (PEM)').fill('-----BEGIN PRIVATE KEY-----\nswordfish\n-----END PRIVATE KEY-----')
    await dialog.getByLabel('Certificate of the authority (PEM)').fill('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----')
    await dialog.getByText('Logins for registries of images').click()
    await dialog.getByRole('button', { name: 'Add a login' }).click()
    await dialog.getByLabel('Registry').fill('ghcr.io')
    await dialog.getByLabel('User name').fill('ada')
    await dialog.getByLabel('Password', { exact: true }).fill('opensesame')
    // Every field is within the dialog, however many stand in a line, and none lies over another.
    const edges = await dialog.locator('input, textarea, select').evaluateAll((fields) => fields.map((field) => field.getBoundingClientRect()).map(({ left, right, top }) => ({ left, right, top })))
    const { right } = await dialog.evaluate((element) => element.getBoundingClientRect())
    expect(edges.filter((edge) => edge.right > right)).toEqual([])
    expect(edges.filter((edge, at) => edges.some((other, before) => before < at && Math.abs(other.top - edge.top) < 2 && other.left < edge.left && other.right > edge.left))).toEqual([])
    await shot(page, 'target-tls-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await dialog.getByRole('button', { name: 'Save and test' }).click()
    await dialog.waitFor({ state: 'hidden' })
    await page.getByRole('img', { name: 'Has credentials' }).waitFor()
    await page.getByRole('button', { name: 'Change edge-1' }).click()
    expect(await dialog.getByLabel('Its key (PEM)').inputValue()).toBe('')
    expect(await page.content()).not.toMatch(/swordfish|opensesame/)
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await dialog.waitFor({ state: 'hidden' })
    await page.getByRole('button', { name: 'Remove edge-1' }).click()
    await dialog.getByRole('button', { name: 'Remove', exact: true }).click()
    await page.getByText('No target fits').waitFor()
  })
})

describe.skipIf(skipDocker)('targets that answer', () => {
  let engine: Engine
  let watched: Stage
  beforeAll(async () => {
    engine = await Engine.start()
    watched = await stage()
  }, 260_000)
  afterAll(async () => {
    await watched?.close()
    await engine?.stop()
  })

  it('say how they are as it changes, in both languages, and nobody asks for it again and again', async () => {
    await watched.server.api('POST', '/targets', { name: 'edge', address: engine.address, environment: 'production' })
    await watched.server.api('POST', '/targets', { name: 'far', address: 'tcp://127.0.0.1:9' })
    const page = await watched.open({ at: '/targets' })
    const asked: string[] = []
    page.on('request', (request) => asked.push(new URL(request.url()).pathname))
    const row = page.getByRole('listitem').filter({ hasText: engine.address })
    await row.getByText('Reached', { exact: true }).waitFor()
    await page.getByRole('listitem').filter({ hasText: 'far' }).getByText('Not reached', { exact: true }).waitFor()
    await row.getByText(/no container/).waitFor()
    const french = await watched.open({ at: '/targets', language: 'fr' })
    const rangee = french.getByRole('listitem').filter({ hasText: engine.address })
    await rangee.getByText('Joignable', { exact: true }).waitFor()
    await french.getByText(/La cible n’est pas jointe/).waitFor()

    await engine.docker('run', '--detach', '--name', 'one', 'stand-in:1')
    await row.getByText(/1 of one container runs/).waitFor()
    await rangee.getByText(/1 conteneur sur un tourne/).waitFor()
    await row.getByText(/% CPU · .* of memory \(.*%\) · .* on disk/).waitFor()
    await rangee.getByText(/du processeur · .* de mémoire .* sur le disque/).waitFor()
    await shot(page, 'targets-live-en-light')
    await shot(french, 'targets-live-fr-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await engine.docker('rm', '--force', 'one')
    await row.getByText(/no container/).waitFor()
    expect(asked.filter((path) => path.endsWith('/test'))).toEqual([])

    await row.getByRole('button', { name: 'Test the connection to edge' }).click()
    await row.getByText('Reached', { exact: true }).waitFor()
    await engine.stop()
    await row.getByText('Not reached', { exact: true }).waitFor()
    await rangee.getByText('Injoignable', { exact: true }).waitFor()
  })
})
