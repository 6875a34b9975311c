import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibilityProblems, resting, shot, stage, type Stage } from './browser'

/** A component that was built against the first version of the contract, as its author packed it. */
const component = fileURLToPath(new URL('../../engine/windflow-host/tests/released/1.0.0/facts.wasm', import.meta.url))
const knocks = `windflow: 1
name: knocks
triggers: { hook: { uses: webhook, with: { path: knocks, auth: none } } }
nodes:
  tell: { uses: facts@1, with: { text: seven } }
outputs: { gave: "\${{ nodes.tell.output.text }}" }
`

let on: Stage
let folder: string

/** The same component with another manifest, packed by the command line. */
async function packed(file: string, name: string, version: string, asks: string, required = ['text']): Promise<string> {
  const text = { title: { en: 'Facts', fr: 'Faits' }, description: { en: 'Tells what it knows <b>of its run</b>.', fr: 'Dit ce qu’il sait <b>de son exécution</b>.' } }
  const manifest = `[plugin]\nname = "${name}"\nversion = "${version}"\nlicense = "MIT"\ndescription.en = "Tells facts."\ndescription.fr = "Dit des faits."\n
[capabilities]\nrun_context = true\ncancellation = true\n${asks}\n
[node.${name}]\ntitle.en = "${text.title.en}"\ntitle.fr = "${text.title.fr}"\ndescription.en = "${text.description.en}"\ndescription.fr = "${text.description.fr}"
category = "other"\nicon = "lucide:hand"\nconfig = "config.json"\n`
  await writeFile(join(folder, 'plugin.toml'), manifest)
  await writeFile(join(folder, 'config.json'), JSON.stringify({ type: 'object', properties: { text: { type: 'string', description: 'A text.' }, word: { type: 'string', description: 'A word.' } }, required, additionalProperties: false }))
  const out = join(folder, file)
  await promisify(execFile)(process.env.WINDFLOW_BIN ?? 'windflow', ['plugins', 'pack', component, '--manifest', join(folder, 'plugin.toml'), '--out', out])
  return out
}

async function choose(page: Page, button: string, file: string) {
  const chooser = page.waitForEvent('filechooser')
  await page.getByRole('button', { name: button }).click()
  await (await chooser).setFiles(file)
}

beforeAll(async () => {
  on = await stage()
  folder = await mkdtemp(join(tmpdir(), 'windflow-plugins-'))
})
afterAll(async () => {
  await on?.close()
  await rm(folder, { recursive: true, force: true })
})

describe('plugins', () => {
  it('are installed once somebody read what they may touch, and used at once', async () => {
    const page = await on.open({ at: '/plugins' })
    await choose(page, 'Install plugin', await packed('facts-1.wasm', 'facts', '1.0.0', ''))
    const dialog = page.getByRole('dialog')
    await dialog.getByText('know which run, node and attempt it is').waitFor()
    await dialog.getByText('hear that it should stop').waitFor()
    // What strangers write is shown as text.
    await dialog.getByText('Tells what it knows <b>of its run</b>.').waitFor()
    await dialog.getByText('Plugins are for the whole server').waitFor()
    await shot(page, 'plugin-install-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    expect((await on.server.api('GET', '/plugins').then((answer) => answer.text())).includes('"facts"')).toBe(false)
    await dialog.getByRole('button', { name: 'Install and allow: the run\'s names, cancellation' }).click()
    await page.getByText('facts 1.0.0 is installed').waitFor()
    await dialog.waitFor({ state: 'hidden' })
    await page.getByRole('complementary', { name: 'Facts' }).getByText('Installed', { exact: false }).first().waitFor()
    await shot(page, 'plugin-installed-en-light')
    expect(await accessibilityProblems(page)).toEqual([])

    await on.server.addWorkflow(knocks)
    const { run } = (await (await on.server.api('POST', '/workflows/knocks/runs', {})).json()) as { run: string }
    await expect.poll(async () => ((await (await on.server.api('GET', `/runs/${run}`)).json()) as { status: string }).status).toBe('succeeded')
    await on.server.api('POST', '/workflows/knocks/enable')
  })

  it('may do more only where somebody agreed to that, too', async () => {
    const page = await on.open({ at: '/plugins', language: 'fr', theme: 'dark' })
    await choose(page, 'Installer un plugin', await packed('facts-2.wasm', 'facts', '1.1.0', 'http = ["api.example.org"]'))
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Il prend la place de la version 1.0.0.').waitFor()
    await dialog.getByText('Il peut faire plus que celle-ci :').waitFor()
    expect(await dialog.getByText('envoyer des requêtes à api.example.org', { exact: false }).count()).toBe(2)
    const button = dialog.getByRole('button', { name: 'Installer, avec ce qui est nouveau : requêtes' })
    expect(await button.isDisabled()).toBe(true)
    await shot(page, 'plugin-grown-fr-dark')
    expect(await accessibilityProblems(page)).toEqual([])
    await page.setViewportSize({ width: 390, height: 780 })
    await shot(page, 'plugin-grown-390')
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
    await page.setViewportSize({ width: 1440, height: 900 })
    await dialog.getByText('J’ai lu ce qui est nouveau, et je l’accepte').click()
    await button.click()
    await page.getByText('facts 1.1.0 est installé').waitFor()
  })

  it('stop workflows that are on only where somebody agreed to that, having read which and why', async () => {
    const page = await on.open({ at: '/plugins', language: 'fr' })
    await choose(page, 'Installer un plugin', await packed('facts-3.wasm', 'facts', '1.2.0', 'http = ["api.example.org"]', ['text', 'word']))
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Des workflows activés ne lui conviennent pas, et s’arrêteraient :').waitFor()
    await dialog.getByText('knocks', { exact: true }).waitFor()
    await dialog.getByText('Ligne 5 :').waitFor()
    expect(await dialog.getByRole('button', { name: /^Installer/ }).isDisabled()).toBe(true)
    await shot(page, 'plugin-stops-fr-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await dialog.getByText('Ces workflows peuvent s’arrêter').click()
    expect(await dialog.getByRole('button', { name: /^Installer/ }).isDisabled()).toBe(false)
    await dialog.getByRole('button', { name: 'Annuler' }).click()
  })

  it('are refused with the reason, and nothing is changed', async () => {
    const page = await on.open({ at: '/plugins' })
    const dialog = page.getByRole('dialog')
    await choose(page, 'Install plugin', await packed('http.wasm', 'http', '9.0.0', ''))
    await dialog.getByRole('alert').getByText('as a plugin that is part of windflow').waitFor()
    expect(await dialog.getByRole('button', { name: /^Install/ }).count()).toBe(0)
    await shot(page, 'plugin-refused-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    const whole = await readFile(component)
    await writeFile(join(folder, 'cut.wasm'), whole.subarray(0, whole.length / 2))
    await choose(page, 'Install plugin', join(folder, 'cut.wasm'))
    await dialog.getByRole('alert').getByText('damaged').waitFor()
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    // Somebody who may not does not see the button at all.
    const viewer = { email: 'vera@example.org', password: 'correct horse battery' }
    await on.server.api('POST', '/users', { ...viewer, role: 'operator' })
    const hers = await on.open({ at: '/plugins?type=facts@1', as: viewer })
    await hers.getByRole('complementary', { name: 'Facts' }).waitFor()
    expect(await hers.getByRole('button', { name: /Install plugin|Remove the plugin/ }).count()).toBe(0)
  })

  it('go once no workflow that is on uses them', async () => {
    const page = await on.open({ at: '/plugins?type=facts@1' })
    await page.getByRole('button', { name: 'Remove the plugin facts' }).click()
    const dialog = page.getByRole('dialog')
    await shot(page, 'plugin-remove-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await dialog.getByRole('button', { name: 'Remove' }).click()
    await page.getByText('is used by workflows that are on: `knocks`').waitFor()
    await on.server.api('POST', '/workflows/knocks/disable')
    await dialog.getByRole('button', { name: 'Remove' }).click()
    await page.getByText('The plugin facts was removed').waitFor()
    await page.getByRole('complementary', { name: 'Facts' }).waitFor({ state: 'detached' })
    expect((await on.server.api('GET', '/plugins').then((answer) => answer.text())).includes('"facts"')).toBe(false)
  })
})

describe('the permissions of a workflow', () => {
  it('are all there to be set, and what a run may reach with them is told beside', async () => {
    await on.server.api('PUT', '/credentials/crm', { bind: { oauth2: { token_url: 'https://login.example.org/token', client_id: 'me' } }, hosts: ['crm.example.org'], value: 's3cret-of-the-client' })
    await on.server.addWorkflow('windflow: 1\nname: part\npermissions: { http: [crm.example.org], credentials: [crm] }\nnodes:\n  ask: { uses: http@1, with: { url: "https://crm.example.org/me", credential: crm } }\n')
    await on.server.addWorkflow('windflow: 1\nname: whole\nnodes: { go: { uses: workflow@1, with: { name: part } } }\n')
    const page = await on.open({ at: '/workflows/whole' })
    await resting(page)
    await page.locator('div.start').click()
    const panel = page.getByRole('complementary', { name: 'Start and workflow' })
    await panel.getByText('https://login.example.org, which the engine asks for access tokens').waitFor()
    await panel.getByText('access tokens of the credential crm, which go to crm.example.org').waitFor()
    await panel.getByText('from go › ask').first().waitFor()
    await panel.getByText('What a run may reach').scrollIntoViewIfNeeded()
    await shot(page, 'permissions-reach-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await panel.getByRole('switch', { name: 'Read the time of the machine' }).click()
    await expect.poll(() => panel.getByRole('switch', { name: 'Read the time of the machine' }).getAttribute('aria-checked')).toBe('true')
    await shot(page, 'permissions-clock-en-light')
    await panel.getByRole('switch', { name: 'Read the time of the machine' }).click()
    await expect.poll(() => panel.getByRole('switch', { name: 'Read the time of the machine' }).getAttribute('aria-checked')).toBe('false')
  })
})

describe('the fields of node types', () => {
  it('are told in the language of the page, those of the engine as those of plugins', async () => {
    await on.server.addWorkflow('windflow: 1\nname: rests\nnodes:\n  rest: { uses: wait@1, with: { for: 5m } }\n  sum: { uses: hash@1, needs: [rest], with: { input: x } }\n  get: { uses: http@1, needs: [sum], with: { url: https://example.org } }\n')
    const page = await on.open({ at: '/workflows/rests', language: 'fr' })
    for (const [node, label, says] of [
      ['rest', 'Pendant', 'Combien de temps, comme 10s, 5m ou 1h30m'],
      ['sum', 'Algorithme', 'La fonction de hachage.'],
      ['get', 'Adresse', 'L’adresse, avec'],
    ] as const) {
      await resting(page)
      await page.locator(`.vue-flow__node[data-id="${node}"]`).click()
      await page.getByText(new RegExp(`^${label}`)).first().waitFor()
      await page.getByText(says).first().waitFor()
      await shot(page, `fields-${node}-fr-light`)
      await page.keyboard.press('Escape')
    }
  })

  it('are told in it however deep they are, and so are the triggers and the search of the text', async () => {
    const nodes = '  run: { uses: docker@1, with: { target: prod, action: { run: { image: alpine, pull: always } } } }\n  stop: { uses: docker@1, needs: [run], with: { target: prod, stack: shop, action: stop } }\n  tell: { uses: github@1, needs: [stop], with: { repository: a/b, credential: gh, action: { create_release: { tag: v1 } } } }\n'
    const triggers = 'triggers:\n  each_day: { uses: cron, with: { schedule: "0 7 * * *" } }\n  called: { uses: webhook, with: { path: deep, auth: { hmac: { secret: knock } } } }\n'
    await on.server.addWorkflow(`windflow: 1\nname: deep\n${triggers}permissions: { docker: [prod], credentials: [gh], http: [api.github.com] }\nnodes:\n${nodes}`)
    const page = await on.open({ at: '/workflows/deep', language: 'fr' })
    for (const [node, chosen, labels, says] of [
      ['run', 'Exécuter', ['Image *', 'Commande', 'Dossier de travail', 'Mode réseau', 'Capacités ajoutées'], 'Chaque fois.'],
      ['stop', 'Arrêter', ['Action *', 'Stack'], 'Arrêter des conteneurs de la stack'],
      ['tell', 'Créer une version', ['Étiquette Git *', 'Brouillon', 'Lister les changements'], 'Publie une version.'],
    ] as const) {
      await resting(page)
      await page.locator(`.vue-flow__node[data-id="${node}"]`).click()
      const action = page.getByRole('combobox', { name: 'Action' })
      await action.waitFor()
      expect(await action.evaluate((select: HTMLSelectElement) => select.selectedOptions[0]?.text)).toBe(chosen)
      await page.getByText(says).first().waitFor()
      const shown = await page.locator('.field-editor > .head > :first-child').allInnerTexts()
      expect(shown.map((label) => label.replace(/\s*\(obligatoire\)$/, '').trim())).toEqual(expect.arrayContaining([...labels]))
      await shot(page, `fields-deep-${node}-fr-light`)
      expect(await accessibilityProblems(page)).toEqual([])
      await page.keyboard.press('Escape')
    }
    await resting(page)
    // Those who hear the drawing hear it in French, too.
    const drawing = page.locator('.vue-flow')
    expect(await drawing.locator('[aria-label="Lien de Départ à run"]').count()).toBe(1)
    expect(await page.locator('[id^="vue-flow__"][id*="-desc-"]').allTextContents()).toEqual([expect.stringMatching(/^Entrée ou espace choisit le nœud/), expect.stringMatching(/^Entrée ou espace choisit le lien/)])
    await page.locator('div.start').click()
    for (const summary of await page.locator('aside.workflow-panel summary').all()) await summary.click()
    await page.getByText('Quand l’exécution précédente tourne encore.').waitFor()
    await page.getByText('Le contenu, signé avec un secret.').waitFor()
    await shot(page, 'triggers-form-fr-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await page.getByRole('button', { name: 'Fermer', exact: true }).click()
    await page.getByRole('button', { name: 'YAML', exact: true }).click()
    await page.locator('.cm-content').first().click()
    await page.keyboard.press('Control+f')
    await page.getByPlaceholder('Rechercher').waitFor()
    await shot(page, 'text-search-fr-light')
    expect(await accessibilityProblems(page)).toEqual([])
  })
})
