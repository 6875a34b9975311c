import { readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibilityProblems, shot, stage, type Stage } from './browser'
import { Engine, skipDocker } from './docker'
import { freePort } from './ports'

const compose = (name: string) => readFile(fileURLToPath(new URL(`../../marketplace/stacks/${name}/compose.yaml`, import.meta.url)), 'utf8')
const imagesOf = (text: string) => [...text.matchAll(/^ +image: (\S+)$/gm)].map(([, image]) => image as string)

/** Writes a whole text into the editor, as a paste does. */
async function write(page: Page, text: string) {
  await page.locator('.cm-content').first().click()
  await page.keyboard.press('Control+a')
  await page.evaluate((all) => navigator.clipboard.writeText(all), text)
  await page.keyboard.press('Control+v')
}

/** A port that something else has taken, as happens on any machine. */
const takenPort = () =>
  new Promise<{ port: number; release: () => void }>((done, fail) => {
    const other = createServer()
    other.once('error', fail)
    other.listen(0, '0.0.0.0', () => done({ port: (other.address() as { port: number }).port, release: () => other.close() }))
  })

/** What stands in for the program of an image says which one it is. */
const answers = async (port: number): Promise<string> => ((await (await fetch(`http://127.0.0.1:${port}/`)).json()) as { image: string }).image

// A health check of a template is asked every few seconds: so long a gate takes, also where the program is up at once.
const deployed = { timeout: 110_000 }

describe.skipIf(skipDocker)('a newcomer', () => {
  let on: Stage
  let engine: Engine
  const texts: Record<string, string> = {}
  beforeAll(async () => {
    engine = await Engine.start()
    for (const name of ['wordpress-mysql', 'prometheus-grafana', 'microservices']) texts[name] = await compose(name)
    expect(await engine.images()).toEqual([])
    await engine.standIns([...new Set(Object.values(texts).flatMap(imagesOf))])
    on = await stage()
  }, 260_000)
  afterAll(async () => {
    await on?.close()
    await engine?.stop()
  })

  /** From the gallery to what runs. Ports that are taken on this machine are filled in; everything else is left as it stands. */
  async function installs(page: Page, title: string, words: { install: string; deploy: string }, ports: Record<string, number>, look: string) {
    const dialog = page.getByRole('dialog')
    await page.getByRole('link', { name: title, exact: true }).click()
    await page.getByRole('button', { name: words.install, exact: true }).click()
    for (const [name, port] of Object.entries(ports)) await dialog.getByLabel(name).fill(String(port))
    await shot(page, `newcomer-install-${look}`)
    await dialog.getByRole('button', { name: words.deploy, exact: true }).click()
    await page.waitForURL(/\/deployments\//)
  }
  const verdict = (page: Page, word: string) => page.locator('[data-deployment]').filter({ hasText: word })
  const had = new Set<string>()
  /** What the template names, and nothing else, was fetched for it; its timeline tells so, however late somebody looks. */
  async function wasFetched(page: Page, template: string, words: { services: string; timeline: string; fetching: string }) {
    const fetched = imagesOf(texts[template]!).filter((image) => !had.has(image))
    fetched.forEach((image) => had.add(image))
    expect(fetched).not.toEqual([])
    expect(await engine.images()).toEqual([...had].sort())
    await page.getByRole('button', { name: words.timeline, exact: true }).click()
    for (const image of fetched) await page.getByText(`${words.fetching} ${image}`, { exact: true }).waitFor()
    await shot(page, `newcomer-fetched-${template}`)
    await page.getByRole('button', { name: words.services, exact: true }).click()
  }
  const left = async (kind: 'ps' | 'volume', stack: string) =>
    kind === 'ps' ? engine.docker('ps', '--all', '--quiet', '--filter', `name=^${stack}-`) : engine.docker('volume', 'ls', '--quiet', '--filter', `name=^${stack}_`)

  it('has WordPress healthy with five clicks at most and within two minutes; a bad image is rolled back, and nothing is left at the end', async () => {
    const page = await on.open({ at: '/targets' })
    const dialog = page.getByRole('dialog')
    let clicks = 0
    await page.exposeFunction('clicked', () => (clicks += 1))
    await page.getByRole('button', { name: 'Add a target' }).first().click()
    await dialog.getByLabel('Name', { exact: true }).fill('edge')
    await dialog.getByLabel('Path of the socket').fill(engine.address.replace('unix://', ''))
    await dialog.getByRole('button', { name: 'Save and test' }).click()
    await page.getByRole('listitem').filter({ hasText: 'edge' }).getByText('Reached', { exact: true }).waitFor()
    await dialog.waitFor({ state: 'hidden' })
    await page.getByRole('link', { name: 'Marketplace', exact: true }).click()
    await page.getByRole('heading', { level: 1, name: 'Marketplace' }).waitFor()

    await page.evaluate(() => addEventListener('click', (event) => event.isTrusted && (globalThis as unknown as { clicked(): void }).clicked(), true))
    const begun = Date.now()
    const port = await freePort()
    await installs(page, 'WordPress with MySQL', { install: 'Install', deploy: 'Deploy' }, { HTTP_PORT: port }, 'wordpress-en-light')
    await page.locator('section[role=status]').getByText('db', { exact: true }).waitFor()
    await verdict(page, 'Deployed').waitFor(deployed)
    for (const service of ['wordpress', 'db']) await page.locator(`[data-service=${service}]`).getByText('Healthy').waitFor()
    expect(Date.now() - begun).toBeLessThan(120_000)
    expect(clicks).toBeLessThanOrEqual(5)
    expect(clicks).toBeGreaterThan(0)
    expect(await answers(port)).toBe('wordpress:6.9.4-php8.3-apache')
    await shot(page, 'newcomer-wordpress-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await wasFetched(page, 'wordpress-mysql', { services: 'Services', timeline: 'Timeline', fetching: 'Fetching' })

    // An image that does not run, written into the document.
    const image = 'wordpress:6.9.4-php8.3-apache'
    await page.getByRole('link', { name: /^wordpress-mysql/ }).first().click()
    await page.getByText('Nothing is wrong with it.').waitFor()
    const broken = await engine.broken(image)
    await write(page, texts['wordpress-mysql']!.replace(image, broken))
    await page.getByRole('button', { name: 'Save and deploy' }).click()
    await dialog.getByText('Reached', { exact: true }).waitFor()
    await dialog.getByRole('button', { name: 'Next' }).click()
    // What was said when it was installed is not forgotten.
    expect(await dialog.getByLabel('HTTP_PORT').inputValue()).toBe(String(port))
    await dialog.getByRole('button', { name: 'Next' }).click()
    await dialog.getByText('Replaced').first().waitFor()
    await shot(page, 'newcomer-wordpress-plan-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await dialog.getByRole('button', { name: 'Deploy', exact: true }).click()
    await verdict(page, 'Rolled back').waitFor(deployed)
    await page.getByText('It did not become healthy, and was rolled back').waitFor()
    expect(await answers(port)).toBe(image)
    had.add(broken)
    expect(await engine.images()).toEqual([...had].sort())
    await shot(page, 'newcomer-wordpress-rolled-back-en-light')
    expect(await accessibilityProblems(page)).toEqual([])

    await page.getByRole('link', { name: 'To that one' }).click()
    await page.getByRole('button', { name: 'More' }).click()
    await page.getByRole('menuitem', { name: 'Remove' }).click()
    await dialog.getByRole('checkbox').check()
    await dialog.getByRole('button', { name: 'Remove with volumes' }).click()
    await verdict(page, 'Removed').waitFor(deployed)
    expect([await left('ps', 'wordpress-mysql'), await left('volume', 'wordpress-mysql')]).toEqual(['', ''])
  }, 200_000)

  it('watches with Prometheus and Grafana, in French: a port that is taken is rolled back, a change is taken back by hand, and the volumes stay', async () => {
    const page = await on.open({ at: '/marketplace', language: 'fr', theme: 'dark' })
    const dialog = page.getByRole('dialog')
    const ports = { GRAFANA_PORT: await freePort(), PROMETHEUS_PORT: await freePort() }
    const title = await page.locator('a[href*="/prometheus-grafana"]').innerText()
    await installs(page, title, { install: 'Installer', deploy: 'Déployer' }, ports, 'prometheus-fr-dark')
    await verdict(page, 'Déployé').waitFor(deployed)
    for (const service of ['prometheus', 'grafana', 'machine', 'alertmanager']) await page.locator(`[data-service=${service}]`).getByText('Sain').waitFor()
    expect([await answers(ports.GRAFANA_PORT), await answers(ports.PROMETHEUS_PORT)]).toEqual(['grafana/grafana:12.4.0', 'prom/prometheus:v3.13.1'])
    await wasFetched(page, 'prometheus-grafana', { services: 'Services', timeline: 'Chronologie', fetching: 'Téléchargement de' })

    const again = async (name: string, value: string) => {
      const before = page.url()
      await page.getByRole('button', { name: 'Déployer à nouveau' }).click()
      await expect.poll(() => dialog.getByLabel('GRAFANA_PORT').inputValue()).toBe(String(ports.GRAFANA_PORT))
      await dialog.getByLabel(name).fill(value)
      await shot(page, 'newcomer-prometheus-again-fr-dark')
      await dialog.getByRole('button', { name: 'Suivant' }).click()
      await dialog.getByRole('button', { name: 'Déployer', exact: true }).click()
      await page.waitForURL((url) => url.href !== before && url.pathname.startsWith('/deployments/'))
    }
    const taken = await takenPort()
    await again('PROMETHEUS_PORT', String(taken.port))
    await verdict(page, 'Restauré').waitFor(deployed)
    taken.release()
    await shot(page, 'newcomer-prometheus-port-fr-dark')
    expect(await accessibilityProblems(page)).toEqual([])
    expect(await answers(ports.PROMETHEUS_PORT)).toBe('prom/prometheus:v3.13.1')

    const kept = async () => JSON.parse(await engine.docker('inspect', '--format', '{{json .Config.Cmd}}', 'prometheus-grafana-prometheus-1')) as string[]
    await again('RETENTION_DAYS', '30')
    await verdict(page, 'Déployé').waitFor(deployed)
    expect(await kept()).toContain('--storage.tsdb.retention.time=30d')
    await page.getByRole('button', { name: 'Revenir en arrière' }).click()
    await dialog.getByRole('button', { name: 'Revenir en arrière' }).click()
    await page.getByRole('link', { name: 'Revient à celui-ci' }).waitFor()
    await verdict(page, 'Déployé').waitFor(deployed)
    expect(await kept()).toContain('--storage.tsdb.retention.time=15d')
    expect(await answers(ports.GRAFANA_PORT)).toBe('grafana/grafana:12.4.0')

    await page.getByRole('button', { name: 'Plus', exact: true }).click()
    await page.getByRole('menuitem', { name: 'Retirer' }).click()
    await shot(page, 'newcomer-prometheus-remove-fr-dark')
    expect(await accessibilityProblems(page)).toEqual([])
    await dialog.getByRole('button', { name: 'Retirer', exact: true }).click()
    await verdict(page, 'Retiré').waitFor(deployed)
    expect(await left('ps', 'prometheus-grafana')).toBe('')
    // Nobody asked for these to go.
    expect((await left('volume', 'prometheus-grafana')).split('\n')).toHaveLength(3)
  }, 280_000)

  it('has the microservice stack in the order in which it has to come up; a migration that fails changes nothing', async () => {
    const page = await on.open({ at: '/marketplace' })
    const dialog = page.getByRole('dialog')
    const ports: Record<string, number> = {}
    for (const name of ['HTTP_PORT', 'API_PORT', 'CLIENT_PORT', 'GRAFANA_PORT', 'PROMETHEUS_PORT']) ports[name] = await freePort()
    const title = await page.locator('a[href*="/microservices"]').innerText()
    await installs(page, title, { install: 'Install', deploy: 'Deploy' }, ports, 'microservices-en-light')
    await verdict(page, 'Deployed').waitFor(deployed)
    for (const service of ['proxy', 'client', 'api', 'worker', 'scheduler', 'db', 'queue', 'prometheus', 'grafana']) await page.locator(`[data-service=${service}]`).getByText('Healthy').waitFor()
    for (const service of ['migrate', 'packages', 'client-build']) await page.locator(`[data-service=${service}]`).getByText('Completed').waitFor()
    for (const port of Object.values(ports)) expect(await answers(port)).not.toBe('')
    await wasFetched(page, 'microservices', { services: 'Services', timeline: 'Timeline', fetching: 'Fetching' })
    await shot(page, 'newcomer-microservices-en-light')
    expect(await accessibilityProblems(page)).toEqual([])

    const migration = '["python", "manage.py", "migrate", "--noinput"]'
    expect(texts.microservices).toContain(migration)
    await page.getByRole('link', { name: /^microservices/ }).first().click()
    await page.getByText('Nothing is wrong with it.').waitFor()
    await write(page, texts.microservices!.replace(migration, '["false"]'))
    await page.getByRole('button', { name: 'Save and deploy' }).click()
    await dialog.getByText('Reached', { exact: true }).waitFor()
    await dialog.getByRole('button', { name: 'Next' }).click()
    for (const [name, port] of Object.entries(ports)) expect(await dialog.getByLabel(name).inputValue()).toBe(String(port))
    await dialog.getByRole('button', { name: 'Next' }).click()
    await dialog.getByRole('button', { name: 'Deploy', exact: true }).click()
    await verdict(page, 'Rolled back').waitFor(deployed)
    await page.getByRole('alert').getByText('migrate').first().waitFor()
    await shot(page, 'newcomer-microservices-rolled-back-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    for (const port of Object.values(ports)) expect(await answers(port)).not.toBe('')

    await page.getByRole('link', { name: 'To that one' }).click()
    await page.getByRole('button', { name: 'More' }).click()
    await page.getByRole('menuitem', { name: 'Remove' }).click()
    await dialog.getByRole('checkbox').check()
    await dialog.getByRole('button', { name: 'Remove with volumes' }).click()
    await verdict(page, 'Removed').waitFor(deployed)
    expect([await left('ps', 'microservices'), await left('volume', 'microservices')]).toEqual(['', ''])
  }, 280_000)
})
