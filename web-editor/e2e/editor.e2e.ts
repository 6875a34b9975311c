import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibilityProblems, resting, save, shot, stage, type Stage } from './browser'

let on: Stage
/** A service that fails until it is mended. */
let service: Server
let healthy = false
let address = ''
beforeAll(async () => {
  on = await stage()
  service = createServer((_, answer) => {
    answer.statusCode = healthy ? 200 : 503
    answer.setHeader('content-type', 'application/json')
    answer.end(JSON.stringify({ state: healthy ? 'fine' : 'down', note: '<img src=x onerror=alert(1)>' }))
  })
  await new Promise<void>((done) => service.listen(0, '127.0.0.1', done))
  address = `http://127.0.0.1:${(service.address() as AddressInfo).port}`
})
afterAll(async () => {
  service?.close()
  await on?.close()
})

const card = (page: Page, name: string) => page.locator(`.vue-flow__node[data-id="${name}"]`)
const document = async (name: string) => (await on.server.api('GET', `/workflows/${name}/document`)).text()
/** Adds a node after a port, as a person does: the plus beside it, a search, Enter. */
async function addAfter(page: Page, node: string, port: string, search: string) {
  await resting(page)
  await card(page, node).hover()
  await page.getByRole('button', { name: `Add after ${node}, ${port}` }).click()
  await page.getByLabel('Search node types').fill(search)
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
}
const settled = (page: Page, node: string, status: string) => page.locator(`.vue-flow__node[data-id="${node}"] .card[data-status="${status}"]`).waitFor({ timeout: 60_000 })

describe('the editor', () => {
  it('leads from nothing to a scheduled workflow that fails, is mended and repeated, without typing YAML', async () => {
    const page = await on.open({ at: '/workflows' })
    const dialogs: string[] = []
    page.on('dialog', (dialog) => void (dialogs.push(dialog.message()), dialog.dismiss()))
    await page.getByRole('button', { name: 'New workflow' }).first().click()
    await page.getByLabel('Name', { exact: true }).fill('watchman')
    await page.getByLabel('What is it for?').fill('Looks after a service.')
    await page.getByRole('button', { name: 'Create' }).click()

    await page.getByRole('button', { name: 'Add a first node' }).click()
    await page.getByLabel('Search node types').fill('http')
    await page.keyboard.press('Enter')
    await card(page, 'http').waitFor()
    await page.getByRole('textbox', { name: /^Url/ }).fill(`${address}/state`)
    await page.getByRole('button', { name: 'Allow' }).click()
    await page.getByRole('button', { name: 'Allow' }).waitFor({ state: 'hidden' })

    await addAfter(page, 'http', 'out', 'transform')
    await page.getByRole('textbox', { name: 'Jq' }).fill('.body.state')
    await page.keyboard.press('Escape')
    await page.getByRole('textbox', { name: 'Jq' }).waitFor({ state: 'hidden' })
    await resting(page)
    await card(page, 'transform').click()

    await page.locator('div.start').click()
    await page.getByRole('button', { name: 'Schedule' }).click()
    await page.locator('summary', { hasText: 'schedule' }).click()
    await page.getByRole('textbox', { name: /^Schedule/ }).fill('*/5 * * * *')
    await page.keyboard.press('Tab')
    await shot(page, 'editor-start-en-light')
    await page.getByRole('button', { name: 'Close', exact: true }).click()
    await save(page)
    expect(await document('watchman')).toContain('schedule: "*/5 * * * *"')

    await page.getByRole('button', { name: 'Run', exact: true }).click()
    await settled(page, 'http', 'failed')
    await page.getByText('http failed').waitFor()
    await shot(page, 'editor-failed-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await page.getByRole('button', { name: 'Look at it' }).click()
    await page.getByText(/503/).first().waitFor()

    healthy = true
    await page.getByRole('button', { name: 'Repeat what failed' }).click()
    await settled(page, 'http', 'succeeded')
    await settled(page, 'transform', 'succeeded')
    await page.getByRole('tab', { name: 'Last run' }).click()
    await page.getByText('<img src=x onerror=alert(1)>').first().waitFor()
    await shot(page, 'editor-mended-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    expect(dialogs).toEqual([])
  })

  it('draws an error branch by dragging, and refuses a circle with the reason', async () => {
    const page = await on.open({ at: '/workflows/watchman' })
    await resting(page)
    await page.keyboard.press('p')
    await page.getByRole('option', { name: /^Log/ }).dragTo(page.locator('.vue-flow__pane'), { targetPosition: { x: 560, y: 620 } })
    await card(page, 'log').waitFor()
    await page.getByRole('textbox', { name: 'Message' }).fill('It is down')
    await page.keyboard.press('Escape')

    const handle = async (node: string, id: string) => {
      const box = await page.locator(`.vue-flow__handle[data-nodeid="${node}"][data-handleid="${id}"]`).boundingBox()
      if (!box) throw new Error(`no handle ${id} at ${node}`)
      return { x: box.x + box.width / 2, y: box.y + box.height / 2 }
    }
    const drag = async (from: { x: number; y: number }, to: { x: number; y: number }) => {
      await page.mouse.move(from.x, from.y)
      await page.mouse.down()
      await page.mouse.move((from.x + to.x) / 2, (from.y + to.y) / 2, { steps: 6 })
      await page.mouse.move(to.x, to.y, { steps: 6 })
    }
    await page.getByRole('textbox', { name: 'Message' }).waitFor({ state: 'hidden' })
    await resting(page)
    await card(page, 'http').hover()
    await drag(await handle('http', 'error'), await handle('log', 'in'))
    await page.mouse.up()
    await page.locator('.vue-flow__edge[data-id="http.error>log"]').waitFor()
    await resting(page)

    await drag(await handle('log', 'out'), await handle('http', 'in'))
    await page.getByText('That would be a circle').first().waitFor()
    await shot(page, 'editor-refused-en-light')
    await page.mouse.up()
    await save(page)
    const text = await document('watchman')
    expect(text).toContain('needs: [http.error]')
    expect(text).not.toContain('needs: [log]')
  })

  it('undoes and redoes, copies and pastes, and keeps what was not saved', async () => {
    const page = await on.open({ at: '/workflows/watchman' })
    await resting(page)
    await card(page, 'log').click()
    await page.keyboard.press('Escape')
    await resting(page)
    // As fast as hands are: what was copied is what is pasted.
    await page.keyboard.press('Control+c')
    await page.keyboard.press('Control+v')
    await card(page, 'log_2').waitFor()
    await page.keyboard.press('Control+z')
    await card(page, 'log_2').waitFor({ state: 'hidden' })
    await page.keyboard.press('Control+Shift+z')
    await card(page, 'log_2').waitFor()
    page.on('dialog', (dialog) => void dialog.accept())
    await page.reload()
    await page.getByText('Work that was not saved is back.').waitFor()
    await card(page, 'log_2').waitFor()
    await page.getByRole('button', { name: 'Discard it' }).first().click()
    await page.getByRole('dialog').getByRole('button', { name: 'Discard it' }).click()
    await card(page, 'log_2').waitFor({ state: 'hidden' })
  })

  it('offers both texts when somebody was faster', async () => {
    const page = await on.open({ at: '/workflows/watchman' })
    await resting(page)
    await card(page, 'log').click()
    await page.getByRole('textbox', { name: 'Message' }).fill('Mine')
    const theirs = (await document('watchman')).replace('Looks after a service.', 'Theirs.')
    const { headers } = await on.server.api('GET', '/workflows/watchman/document')
    await on.server.api('PUT', '/workflows/watchman/document', theirs, 'application/yaml', { 'if-match': headers.get('etag') ?? '' })
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByText('Somebody saved in the meantime').waitFor()
    await shot(page, 'editor-conflict-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await page.getByRole('button', { name: 'Save the right side' }).click()
    await page.getByRole('status').getByText('Saved', { exact: true }).waitFor()
    expect(await document('watchman')).toContain('message: Mine')

    // What was written over is a version, and one may go back to it.
    await page.getByRole('button', { name: 'More', exact: true }).first().click()
    await page.getByRole('menuitem', { name: 'Versions' }).click()
    await page.getByRole('dialog').getByRole('button', { name: /^v1/ }).click()
    await page.getByRole('button', { name: 'Go back to v1' }).waitFor()
    await shot(page, 'editor-versions-en-light')
    await page.getByRole('button', { name: 'Go back to v1' }).click()
    await card(page, 'log').waitFor({ state: 'hidden' })
  })
})

describe('writing YAML', () => {
  it('draws as one types, says what is wrong and where, and survives a text that is broken', async () => {
    const page = await on.open({ at: '/workflows/watchman', language: 'fr', theme: 'dark' })
    await card(page, 'http').waitFor()
    await page.getByRole('button', { name: 'Côte à côte' }).click()
    await page.locator('.cm-content').click()
    await page.keyboard.press('Control+Home')
    await page.keyboard.press('PageDown')
    await page.locator('.cm-line', { hasText: 'uses: transform@1' }).click()
    await page.keyboard.press('End')
    await page.keyboard.press('Backspace')
    await page.keyboard.type('7')
    await page.locator('.cm-lintRange-error').first().waitFor()
    await shot(page, 'editor-yaml-fr-dark')
    expect(await accessibilityProblems(page)).toEqual([])
    await page.keyboard.type(': [')
    await page.getByText('Le texte est illisible').waitFor()
    await card(page, 'http').waitFor()
    for (let back = 0; back < 4; back++) await page.keyboard.press('Backspace')
    await page.keyboard.type('1')
    await page.locator('.cm-lintRange-error').first().waitFor({ state: 'hidden' })
  })
})
