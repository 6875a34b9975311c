import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibilityProblems, shot, stage, type Stage } from './browser'
import { release } from './workflows'
import { Engine, skipDocker } from './docker'
import { freePort } from './ports'

/** Two services of stand-in images, as a team would keep them. */
const blog = (port: number, image = 'stand-in:1') => `name: blog
x-windflow:
  variables:
    WEB_PORT: { type: port, default: ${port}, description: { en: Where the blog is reached, fr: Où le blog est joint } }
    DB_PASSWORD: { type: password }
services:
  web:
    image: ${image}
    ports: ["127.0.0.1:\${WEB_PORT}:80"]
    depends_on: { db: { condition: service_healthy } }
    healthcheck: { test: "wget -q -O /dev/null http://127.0.0.1/", interval: 500ms, timeout: 2s, retries: 3 }
    stop_signal: SIGKILL
  db:
    image: stand-in:1
    command: sleep 1000
    environment: { PASSWORD: "\${DB_PASSWORD}" }
    healthcheck: { test: "true", interval: 500ms }
    stop_signal: SIGKILL
`

let on: Stage
beforeAll(async () => (on = await stage()))
afterAll(() => on?.close())

describe('the marketplace', () => {
  it('is searched and filtered, and says what is in a template', async () => {
    const page = await on.open({ at: '/marketplace' })
    const count = page.getByRole('status').filter({ hasText: /templates?$/ })
    await page.getByRole('link', { name: 'WordPress with MySQL' }).waitFor()
    await shot(page, 'marketplace-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    // A beginning of a word, and one that is misspelt.
    await page.getByLabel('Search name, text, service, tag').fill('grafna')
    await page.getByRole('link', { name: 'WordPress with MySQL' }).waitFor({ state: 'hidden' })
    await page.getByRole('link', { name: /Grafana/ }).first().waitFor()
    await page.getByLabel('Search name, text, service, tag').fill('no such thing at all')
    await page.getByText('No template fits').waitFor()
    await page.getByRole('button', { name: 'Clear the search' }).click()
    await page.getByRole('button', { name: 'Stacks', exact: true }).click()
    await page.getByLabel('Category').selectOption('content')
    await page.getByRole('button', { name: /^blog/ }).click()
    await count.waitFor()
    await page.getByRole('link', { name: 'WordPress with MySQL' }).click()

    await page.getByRole('heading', { level: 1, name: 'WordPress with MySQL' }).waitFor()
    await page.getByRole('heading', { name: 'First steps' }).waitFor()
    await shot(page, 'template-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await page.getByRole('button', { name: 'What is in it' }).click()
    await page.getByText('DB_ROOT_PASSWORD').first().waitFor()
    await page.locator('.cm-content').waitFor()
    await shot(page, 'template-contents-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await page.getByRole('button', { name: 'Reviews' }).click()
    await page.getByText('Nobody here has reviewed it yet.').waitFor()
    await page.getByLabel('4 stars').check()
    await page.getByLabel('What do you think of it?').fill('Good. <script>alert(1)</script>')
    await page.getByRole('button', { name: 'Review', exact: true }).click()
    await page.getByRole('listitem').getByText('<script>alert(1)</script>').waitFor()
    await shot(page, 'template-reviews-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await page.getByRole('button', { name: /Remove the review/ }).click()
    await page.getByText('Nobody here has reviewed it yet.').waitFor()
  })

  it('installs a workflow', async () => {
    await on.server.addWorkflow(release)
    const texts = (en: string, fr: string) => ({ en, fr })
    await on.server.api('POST', '/templates', { from: { workflow: 'release' }, template: { name: 'release', version: '1.0.0', category: 'automation', title: texts('Release', 'Mise en production'), summary: texts('Asks before it goes out', 'Demande avant de sortir') } })
    const page = await on.open({ language: 'fr', theme: 'dark', at: '/marketplace?kind=workflow' })
    await page.getByRole('link', { name: 'Mise en production' }).click()
    await page.getByRole('button', { name: 'Contenu' }).click()
    await page.getByRole('heading', { name: 'Ce que ses nœuds peuvent toucher' }).waitFor()
    await shot(page, 'template-workflow-fr-dark')
    expect(await accessibilityProblems(page)).toEqual([])
    await page.getByRole('button', { name: 'Installer' }).click()
    await page.getByRole('dialog').getByLabel('Comment l’appeler').fill('by-template')
    await page.getByRole('dialog').getByRole('button', { name: 'Installer' }).click()
    await page.waitForURL(/\/workflows\/by-template/)
    await page.locator('.vue-flow__node').first().waitFor()
    await page.goto(`${on.url}/marketplace/installed`)
    await page.getByRole('link', { name: 'by-template' }).waitFor()
    expect(await accessibilityProblems(page)).toEqual([])
  })

  it('believes no registry that it cannot reach', async () => {
    const page = await on.open({ at: '/marketplace/registries' })
    await page.getByText('No further registry').waitFor()
    await page.getByRole('button', { name: 'Add a registry' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Name').fill('acme')
    await dialog.getByLabel('Address').fill('http://127.0.0.1:1')
    await dialog.getByLabel('Key').fill('ed25519:Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=')
    await dialog.getByRole('button', { name: 'Add' }).click()
    await dialog.getByRole('alert').getByText(/could not be got/).waitFor()
    await shot(page, 'registries-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
  })
})

describe.skipIf(skipDocker)('a template of one’s own', () => {
  let engine: Engine
  beforeAll(async () => (engine = await Engine.start()), 260_000)
  afterAll(() => engine?.stop())

  it('is published, and healthy with three clicks from the gallery; its update is a difference', async () => {
    const port = await freePort()
    await on.server.api('POST', '/targets', { name: 'edge', address: engine.address })
    await on.server.api('POST', '/stacks', { name: 'blog', description: 'A blog for the team', text: blog(port) })
    const page = await on.open({ at: '/marketplace' })
    const dialog = page.getByRole('dialog')
    await page.getByRole('button', { name: 'Publish' }).click()
    await dialog.getByLabel('Made of').selectOption('stack/blog')
    await dialog.getByRole('group', { name: 'In English' }).getByLabel('Title').fill('Our blog')
    await dialog.getByRole('group', { name: 'In English' }).getByLabel('What to know before').fill('# Our blog\n\nKeep **two** copies.\n\n<img src=x onerror=alert(1)>')
    await dialog.getByLabel('Name', { exact: true }).fill('Not A Name')
    await dialog.getByRole('button', { name: 'Publish' }).click()
    await dialog.getByRole('alert').waitFor()
    await shot(page, 'publish-refused-en-light')
    await dialog.getByLabel('Name', { exact: true }).fill('team-blog')
    await dialog.getByRole('button', { name: 'Publish' }).click()
    await page.getByRole('heading', { level: 1, name: 'Our blog' }).waitFor()
    await page.getByText('<img src=x onerror=alert(1)>').waitFor()
    await page.getByRole('link', { name: 'Marketplace' }).first().click()

    // Three clicks: the template, Install, Deploy.
    await page.getByRole('link', { name: 'Our blog' }).click()
    await page.getByRole('button', { name: 'Install' }).click()
    await dialog.getByText('Reached', { exact: true }).waitFor()
    await shot(page, 'install-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await dialog.getByRole('button', { name: 'Deploy', exact: true }).click()
    await page.locator('[data-deployment]').filter({ hasText: 'Deployed' }).waitFor({ timeout: 30_000 })
    await page.locator('[data-service=web]').getByText('Healthy').waitFor()
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('version 1\n')
    expect(await engine.images(), 'it was fetched').toEqual(['stand-in:1'])

    // The next version is shown as a difference before it is taken.
    await on.server.api('PUT', '/stacks/blog', { text: blog(port, 'stand-in:2') })
    await page.goto(`${on.url}/marketplace`)
    await page.getByRole('button', { name: 'Publish' }).click()
    await dialog.getByLabel('Made of').selectOption('stack/blog')
    await dialog.getByLabel('Name', { exact: true }).fill('team-blog')
    // What was said of the version before does not have to be said again.
    await dialog.getByText('There is team-blog 1.0.0 already').waitFor()
    expect(await dialog.getByLabel('Version', { exact: true }).inputValue()).toBe('1.1.0')
    expect(await dialog.getByRole('group', { name: 'In English' }).getByLabel('Title').inputValue()).toBe('Our blog')
    await dialog.getByLabel('What changed in this version').fill('The second version.')
    await shot(page, 'publish-next-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await dialog.getByRole('button', { name: 'Publish' }).click()
    await page.getByRole('heading', { level: 1, name: 'Our blog' }).waitFor()
    await page.getByRole('button', { name: 'Changes' }).click()
    await page.getByText('The second version.').waitFor()
    await page.getByRole('heading', { name: '1.0.0' }).waitFor()
    await page.goto(`${on.url}/marketplace/installed`)
    await page.getByRole('button', { name: /^Update to 1.1.0.*team-blog/ }).click()
    await dialog.getByText(/^\+ +image: .*stand-in:2/).waitFor()
    await shot(page, 'update-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await dialog.getByRole('button', { name: 'Update', exact: true }).click()
    await page.getByRole('row', { name: /team-blog/ }).getByText('Up to date').waitFor()
    await page.goto(`${on.url}/stacks/team-blog`)
    await page.getByText('v2', { exact: true }).waitFor()
    await page.goto(`${on.url}/deployments`)
    await page.getByRole('link', { name: /team-blog/ }).click()
    await page.getByRole('button', { name: 'More' }).click()
    await page.getByRole('menuitem', { name: 'Remove' }).click()
    await dialog.getByRole('button', { name: 'Remove' }).click()
    await page.locator('[data-deployment]').filter({ hasText: 'Removed' }).waitFor()
    expect(await engine.docker('ps', '--all', '--quiet')).toBe('')
  }, 120_000)

  it('leaves nothing behind where it does not come up, and is tried again from there', async () => {
    const port = await freePort()
    const other = createServer()
    await new Promise<void>((done) => other.listen(port, '127.0.0.1', done))
    const page = await on.open({ at: '/marketplace/templates/team-blog?registry=private', language: 'fr', theme: 'dark' })
    const dialog = page.getByRole('dialog')
    await page.getByRole('button', { name: 'Installer' }).click()
    await dialog.getByLabel('Comment l’appeler').fill('second-blog')
    await dialog.getByLabel('WEB_PORT').fill(String(port))
    await dialog.getByRole('button', { name: 'Déployer', exact: true }).click()
    await page.getByText('La stack n’est pas gardée').waitFor({ timeout: 40_000 })
    await shot(page, 'install-undone-fr-dark')
    expect(await accessibilityProblems(page)).toEqual([])
    expect(await (await on.server.api('GET', '/stacks')).text()).not.toContain('second-blog')
    expect(await (await on.server.api('GET', '/templates/installed')).text()).not.toContain('second-blog')
    for (const kind of ['ps --all', 'volume ls', 'network ls']) expect(await engine.docker(...kind.split(' '), '--quiet', '--filter', 'name=^second-blog')).toBe('')
    other.close()
    await page.getByRole('button', { name: 'Déployer à nouveau' }).click()
    await expect.poll(() => dialog.getByLabel('WEB_PORT').inputValue()).toBe(String(port))
    await dialog.getByRole('button', { name: 'Suivant' }).click()
    await dialog.getByRole('button', { name: 'Déployer', exact: true }).click()
    await page.locator('[data-deployment]').filter({ hasText: 'Déployé' }).waitFor({ timeout: 40_000 })
    await page.goto(`${on.url}/stacks`)
    await page.getByRole('link', { name: 'second-blog' }).waitFor()
  }, 120_000)
})
