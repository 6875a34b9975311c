import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibilityProblems, shot, stage, type Stage } from './browser'
import { Engine, skipDocker } from './docker'
import { freePort } from './ports'

/** Given up after three seconds: long enough for its page to be seen while it is under way, on a busy machine as well. */
const shop = `name: shop
x-windflow:
  variables:
    TAG: { type: image_tag, default: "1", description: Version of the site }
    WEB_PORT: { type: port, description: Where the shop is reached }
    CHECK: { default: "", description: What has to answer }
    DB_PASSWORD: { type: password }
services:
  web:
    image: "stand-in:\${TAG}"
    ports: ["127.0.0.1:\${WEB_PORT}:80"]
    depends_on: { db: { condition: service_healthy } }
    healthcheck: { test: "wget -q -O /dev/null http://127.0.0.1/\${CHECK}", interval: 500ms, timeout: 2s, retries: 6 }
    volumes: ["/tmp:/host:ro"]
    stop_signal: SIGKILL
  db:
    image: stand-in:1
    command: sh -c "echo ready for '<b>orders</b>'; exec sleep 1000"
    healthcheck: { test: "true", interval: 500ms }
    environment: { PASSWORD: "\${DB_PASSWORD}" }
    volumes: ["data:/data"]
    stop_signal: SIGKILL
volumes: { data: {} }
`

/** Writes a whole text into the editor, as a paste does. */
async function write(page: Page, text: string) {
  await page.locator('.cm-content').first().click()
  await page.keyboard.press('Control+a')
  await page.evaluate((all) => navigator.clipboard.writeText(all), text)
  await page.keyboard.press('Control+v')
}
/** Deploys with what the wizard says, and goes to the deployment that it begins. */
async function begin(page: Page) {
  const before = page.url()
  await page.getByRole('dialog').getByRole('button', { name: 'Deploy', exact: true }).click()
  await page.waitForURL((url) => url.href !== before)
}
const answer = async (port: number) => (await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined))?.text()

describe.skipIf(skipDocker)('deploying', () => {
  let on: Stage
  let engine: Engine
  let port = 0
  beforeAll(async () => {
    engine = await Engine.start()
    on = await stage()
    port = await freePort()
  }, 260_000)
  afterAll(async () => {
    await on?.close()
    await engine?.stop()
  })

  it('leads from no target to a healthy stack, through a bad version that is rolled back, to nothing left', async () => {
    const page = await on.open({ at: '/targets' })
    const dialog = page.getByRole('dialog')
    await page.getByText('No target yet').waitFor()
    await page.getByRole('button', { name: 'Add a target' }).first().click()
    await dialog.getByLabel('Name', { exact: true }).fill('edge')
    await dialog.getByLabel('Path of the socket').fill('/nowhere/docker.sock')
    await dialog.getByLabel('Tags').fill('lab')
    await shot(page, 'target-dialog-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await dialog.getByRole('button', { name: 'Save and test' }).click()
    const row = page.getByRole('listitem').filter({ hasText: 'edge' })
    await row.getByText('Not reached').waitFor()
    await dialog.waitFor({ state: 'hidden' })
    await row.getByText(/nowhere/).last().waitFor()
    await shot(page, 'targets-unreached-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await page.getByRole('button', { name: 'Change edge' }).click()
    await dialog.getByLabel('Path of the socket').fill(engine.address.replace('unix://', ''))
    await dialog.getByRole('button', { name: 'Save and test' }).click()
    await row.getByText('Reached', { exact: true }).waitFor()
    await row.getByText(/Docker/).waitFor()
    await dialog.waitFor({ state: 'hidden' })

    await page.getByRole('link', { name: 'Stacks', exact: true }).click()
    await page.getByText('No stack yet').waitFor()
    await page.getByRole('button', { name: 'New stack' }).first().click()
    await dialog.getByLabel('Name', { exact: true }).fill('shop')
    await dialog.getByRole('button', { name: 'Create' }).click()
    await page.getByRole('heading', { name: /^shop/ }).waitFor()
    await page.getByText('Nothing is wrong with it.').waitFor()
    await write(page, shop.replace('image: stand-in:1', 'imagee: stand-in:1'))
    await page.getByRole('button', { name: /imagee/ }).first().waitFor()
    await page.locator('.cm-lint-marker-error').first().waitFor()
    await shot(page, 'stack-faults-en-light')
    await write(page, shop)
    await page.getByText('Nothing is wrong with it.').waitFor()
    await page.getByText(/^web gets the path \/tmp of the target.s machine/).waitFor()
    await shot(page, 'stack-en-light')
    expect(await accessibilityProblems(page)).toEqual([])

    await page.getByRole('button', { name: 'Save and deploy' }).click()
    await dialog.getByRole('radio').waitFor()
    await dialog.getByText('Reached', { exact: true }).waitFor()
    await shot(page, 'wizard-target-en-light')
    await dialog.getByRole('button', { name: 'Next' }).click()
    await dialog.getByRole('button', { name: 'Next' }).click()
    await dialog.getByText('This is needed.').waitFor()
    await dialog.getByLabel(/^WEB_PORT/).fill(String(port))
    await shot(page, 'wizard-settings-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await dialog.getByRole('button', { name: 'Next' }).click()
    const deploy = dialog.getByRole('button', { name: 'Deploy', exact: true })
    await deploy.waitFor()
    expect(await deploy.isDisabled()).toBe(true)
    await dialog.getByRole('checkbox', { name: /host_path/ }).check()
    await shot(page, 'wizard-plan-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await deploy.click()

    await page.getByRole('heading', { name: /shop on edge/ }).waitFor()
    const verdict = page.locator('[data-deployment]')
    await verdict.filter({ hasText: 'Deployed' }).waitFor({ timeout: 30_000 })
    await page.locator('[data-service=web]').getByText('Healthy').waitFor()
    expect(await answer(port)).toBe('version 1\n')
    expect(await engine.images(), 'it was fetched').toEqual(['stand-in:1'])
    await shot(page, 'deployment-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await page.getByRole('button', { name: 'Logs of db' }).click()
    const log = page.getByRole('log')
    const ready = log.getByText('ready for <b>orders</b>')
    await ready.waitFor()
    // What is written later comes by itself, is held back while it is paused, and goes on where a container ends and begins again.
    const writes = (text: string) => engine.docker('exec', 'shop-db-1', 'sh', '-c', `echo '${text}' >/proc/1/fd/1`)
    await page.locator('[data-logs=live]').waitFor()
    await writes('a first order')
    await log.getByText('a first order').waitFor()
    await shot(page, 'deployment-logs-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await page.getByRole('button', { name: 'Pause' }).click()
    await writes('a second order')
    await page.getByText('Paused, one new line').waitFor()
    expect(await log.getByText('a second order').count()).toBe(0)
    await page.getByRole('button', { name: 'Resume' }).click()
    await log.getByText('a second order').waitFor()
    await engine.docker('kill', 'shop-db-1')
    await page.locator('[data-logs=ended]').waitFor()
    await engine.docker('start', 'shop-db-1')
    await page.locator('[data-logs=live]').waitFor()
    await ready.nth(1).waitFor()
    expect([await ready.count(), await log.getByText('a first order').count()]).toEqual([2, 1])
    // The server goes and comes back: what was heard stays, and nothing comes twice.
    await on.server.down('SIGKILL')
    await page.locator('[data-logs=waiting]').waitFor()
    await on.server.up()
    await page.locator('[data-logs=live]').waitFor()
    await writes('a third order')
    await log.getByText('a third order').waitFor()
    expect([await ready.count(), await log.getByText('a first order').count()]).toEqual([2, 1])
    await page.getByRole('button', { name: 'Timeline' }).click()
    await page.getByText('Fetching stand-in:1', { exact: true }).waitFor()
    await shot(page, 'deployment-timeline-en-light')

    // A version that does not become healthy.
    const again = async (tag: string, check: string) => {
      await page.getByRole('button', { name: 'Deploy again' }).click()
      await dialog.getByLabel(/^WEB_PORT/).fill(String(port))
      await dialog.getByLabel('TAG').fill(tag)
      await dialog.getByLabel('CHECK').fill(check)
      await dialog.getByRole('button', { name: 'Next' }).click()
      await dialog.getByRole('checkbox', { name: /host_path/ }).check()
      await dialog.getByText('Replaced').first().waitFor()
      await begin(page)
    }
    await again('2', 'nosuch')
    await verdict.filter({ hasText: 'Running' }).waitFor()
    await page.locator('section[role=status]').getByText('web', { exact: true }).waitFor()
    await shot(page, 'deployment-live-en-light')
    await verdict.filter({ hasText: 'Rolled back' }).waitFor({ timeout: 30_000 })
    await page.getByText('It did not become healthy, and was rolled back').waitFor()
    expect(await answer(port)).toBe('version 1\n')
    await shot(page, 'deployment-rolled-back-en-light')
    expect(await accessibilityProblems(page)).toEqual([])

    // Another number of containers of what runs.
    await page.getByRole('link', { name: 'To that one' }).click()
    await page.getByRole('button', { name: 'More' }).click()
    await page.getByRole('menuitem', { name: 'Scale' }).click()
    await dialog.getByLabel(/^WEB_PORT/).fill(String(port))
    await dialog.getByLabel('db', { exact: true }).fill('2')
    await dialog.getByRole('button', { name: 'Next' }).click()
    await dialog.getByRole('checkbox', { name: /host_path/ }).check()
    await begin(page)
    await verdict.filter({ hasText: 'Deployed' }).waitFor({ timeout: 30_000 })
    await page.locator('[data-service=db]').getByText('#2').waitFor()

    // A good one, by hand back to the first, and away.
    await again('2', '')
    await verdict.filter({ hasText: 'Deployed' }).waitFor({ timeout: 30_000 })
    expect(await answer(port)).toBe('version 2\n')
    await page.getByRole('button', { name: 'Roll back' }).click()
    await dialog.getByRole('button', { name: 'Roll back' }).click()
    await page.getByRole('link', { name: 'Goes back to this one' }).waitFor()
    await verdict.filter({ hasText: 'Deployed' }).waitFor({ timeout: 30_000 })
    expect(await answer(port)).toBe('version 1\n')
    await page.getByRole('button', { name: 'More' }).click()
    await page.getByRole('menuitem', { name: 'Stop' }).click()
    await dialog.getByRole('button', { name: 'Stop', exact: true }).click()
    await dialog.waitFor({ state: 'hidden' })
    await page.getByRole('button', { name: 'Start', exact: true }).click()
    await page.locator('[data-service=web]').getByText('Healthy').waitFor()
    await page.getByRole('button', { name: 'More' }).click()
    await page.getByRole('menuitem', { name: 'Remove' }).click()
    await dialog.getByRole('checkbox').check()
    await shot(page, 'deployment-remove-en-light')
    await dialog.getByRole('button', { name: 'Remove with volumes' }).click()
    await verdict.filter({ hasText: 'Removed' }).waitFor({ timeout: 30_000 })
    expect(await engine.docker('ps', '--all', '--quiet')).toBe('')
    expect(await engine.docker('volume', 'ls', '--quiet')).toBe('')

    await page.getByRole('link', { name: 'Deployments', exact: true }).first().click()
    await page.getByLabel('Status').selectOption('rolled_back')
    await page.getByText('one deployment').waitFor()
    await shot(page, 'deployments-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
  }, 120_000)
})
