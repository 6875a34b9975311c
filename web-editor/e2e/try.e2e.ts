import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibilityProblems, resting, shot, stage, type Stage } from './browser'

let on: Stage
beforeAll(async () => {
  on = await stage()
  await on.server.api('POST', '/workflows', chain, 'application/yaml')
})
afterAll(() => on?.close())

const chain = `windflow: 1
name: chain
nodes:
  orders: { uses: transform@1, with: { input: [3, 4], jq: "map({ id: . })" } }
  count: { uses: transform@1, needs: [orders], with: { input: "\${{ nodes.orders.output }}", jq: "{ orders: length }" } }
`
const card = (page: Page, name: string) => page.locator(`.vue-flow__node[data-id="${name}"]`)
const settled = (page: Page, node: string, status: string) => page.locator(`.vue-flow__node[data-id="${node}"] .card[data-status="${status}"]`).waitFor({ timeout: 60_000 })

describe('trying things', () => {
  it('runs a node alone, on what is pinned, and the workflow on pinned data', async () => {
    const page = await on.open({ at: '/workflows/chain' })
    await resting(page)
    await card(page, 'orders').click()
    await page.getByRole('tab', { name: 'Last run' }).click()
    await page.getByRole('button', { name: 'Give an output' }).click()
    await page.getByLabel('Output as JSON').fill('[{"id": 1}, {"id": 2}, ')
    await page.getByRole('button', { name: 'Pin this output' }).last().click()
    await page.getByText(/This is no JSON/).waitFor()
    await page.getByLabel('Output as JSON').fill('[{"id": 1}, {"id": 2}, {"id": 3}]')
    await shot(page, 'pin-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await page.getByRole('button', { name: 'Pin this output' }).last().click()
    await page.getByText('The output is pinned').waitFor()

    // The other node alone: it takes what is pinned, though nothing ever ran.
    await resting(page)
    await card(page, 'count').click()
    await page.getByRole('button', { name: 'Try', exact: true }).click()
    await settled(page, 'count', 'succeeded')
    await page.getByRole('region', { name: 'Output', exact: true }).getByText('3', { exact: true }).waitFor()
    await shot(page, 'tried-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    // What is not saved yet counts.
    await page.getByRole('tab', { name: 'Configure' }).click()
    await page.getByRole('textbox', { name: 'Jq' }).fill('{ orders: (length * 100) }')
    await page.getByRole('button', { name: 'Try', exact: true }).click()
    await page.getByRole('region', { name: 'Output', exact: true }).getByText('300', { exact: true }).waitFor()

    await page.getByRole('button', { name: 'Run', exact: true }).click()
    // Until it has run here, the node shows its own last try.
    await settled(page, 'orders', 'succeeded')
    await settled(page, 'count', 'succeeded')
    await page.getByRole('region', { name: 'Output', exact: true }).getByText('300', { exact: true }).waitFor()
    await page.reload()
    await resting(page)
    await card(page, 'orders').click()
    await page.getByRole('tab', { name: 'Last run' }).click()
    await page.getByRole('button', { name: 'Unpin' }).click()
    await page.getByRole('button', { name: 'Give an output' }).waitFor()
  })

  it('offers it above a node and on the right button, in French and in the dark', async () => {
    const page = await on.open({ at: '/workflows/chain', language: 'fr', theme: 'dark' })
    await resting(page)
    await card(page, 'orders').hover()
    await page.getByRole('button', { name: 'Exécuter orders seul' }).click()
    await settled(page, 'orders', 'succeeded')
    await resting(page)
    await card(page, 'count').click({ button: 'right' })
    await page.getByRole('menuitem', { name: /Exécuter seul/ }).waitFor()
    await shot(page, 'canvas-menu-fr-dark')
    expect(await accessibilityProblems(page)).toEqual([])
    await page.getByRole('menuitem', { name: 'Dupliquer' }).click()
    await card(page, 'count_2').waitFor()
    await resting(page)
    await card(page, 'count_2').hover()
    await page.getByRole('button', { name: 'Supprimer count_2' }).click()
    await card(page, 'count_2').waitFor({ state: 'hidden' })
  })
})
