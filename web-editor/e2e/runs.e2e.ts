import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibilityProblems, shot, stage, type Stage } from './browser'
import { delivery, release, sleeper } from './workflows'

let on: Stage
let carrier: Server
let healthy = false
beforeAll(async () => {
  on = await stage()
  carrier = createServer((_, answer) => {
    answer.writeHead(healthy ? 200 : 503, { 'content-type': 'application/json' })
    answer.end(JSON.stringify({ said: '<b>no</b>' }))
  })
  await new Promise<void>((done) => carrier.listen(0, '127.0.0.1', done))
  await on.server.addWorkflow(delivery(`http://127.0.0.1:${(carrier.address() as AddressInfo).port}`))
  await on.server.addWorkflow(release)
  await on.server.addWorkflow(sleeper)
})
afterAll(async () => {
  carrier?.close()
  await on?.close()
})

const start = async (name: string): Promise<string> => ((await (await on.server.api('POST', `/workflows/${name}/runs`, {})).json()) as { run: string }).run

describe('runs', () => {
  it('tell why one failed, and go on from the node that failed', async () => {
    const page = await on.open({ at: '/runs' })
    page.on('dialog', (dialog) => expect.unreachable(`markup was run: ${dialog.message()}`))
    await page.getByText('Nothing has run yet').waitFor()
    await page.getByRole('status').filter({ hasText: 'Live' }).waitFor()

    // The list hears of it by itself.
    await start('delivery')
    await page.getByRole('link', { name: /delivery/ }).filter({ hasText: 'Failed' }).click()
    const why = page.getByRole('region', { name: 'Why it failed' })
    await why.getByText('503').first().waitFor()
    await why.getByText('The service refused the request.').waitFor()
    expect(await page.locator('#content img').count()).toBe(0)

    await why.getByRole('button', { name: 'hand_over', exact: true }).click()
    const panel = page.getByRole('complementary', { name: 'hand_over' })
    await panel.getByText('2 attempts').waitFor()
    await shot(page, 'run-failed-en-light')
    expect(await accessibilityProblems(page)).toEqual([])

    healthy = true
    await why.getByRole('button', { name: 'Re-run from hand_over' }).click()
    const dialog = page.getByRole('dialog', { name: 'Re-run' })
    await dialog.getByText('2 nodes run again').waitFor()
    await dialog.getByText('2 results are taken over').waitFor()
    await shot(page, 'rerun-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await dialog.getByRole('button', { name: 'Re-run', exact: true }).click()
    await page.getByRole('heading', { level: 1 }).getByText('Succeeded').waitFor()
    await page.getByText('Repeats').waitFor()

    // The rows of the timeline are walked with the arrow keys.
    await page.getByRole('button', { name: /^orders/ }).focus()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    const labels = page.getByRole('complementary', { name: 'labels' })
    await labels.getByText('Taken over from the run that this one repeats.').waitFor()
    await labels.getByRole('button', { name: 'Close' }).click()

    await page.getByRole('button', { name: 'Inputs and outputs' }).click()
    await page.getByRole('region', { name: 'Outputs' }).getByText('done').waitFor()
    await page.getByRole('button', { name: 'Journal' }).click()
    await page.getByText('run_finished').waitFor()
    await page.getByRole('button', { name: 'Graph' }).click()
    await page.locator('.vue-flow__node[data-id="hand_over"]').waitFor()
    expect(await accessibilityProblems(page)).toEqual([])
  })

  it('ask a person, whose answer is checked, and wait for another system', async () => {
    const run = await start('release')
    const page = await on.open({ at: `/runs/${run}`, language: 'fr', theme: 'dark' })
    page.on('dialog', (dialog) => expect.unreachable(`markup was run: ${dialog.message()}`))
    const question = page.getByRole('region', { name: 'ask demande une décision' })
    await question.getByText('Bring out 2.4.0? <script>alert(1)</script>').waitFor()
    await shot(page, 'approval-fr-dark')
    expect(await accessibilityProblems(page)).toEqual([])

    await question.getByLabel('Replicas').fill('40')
    await question.getByRole('button', { name: 'Approuver' }).click()
    await question.getByText('Ce champ est nécessaire.').waitFor()
    await question.getByText('Au plus 20.').waitFor()
    await question.getByLabel('Replicas').fill('4')
    await question.getByLabel('Window').selectOption({ label: 'tonight' })
    await question.getByLabel('Commentaire').fill('allez-y')
    await question.getByRole('button', { name: 'Approuver' }).click()

    const waiting = page.getByRole('region', { name: 'carrier attend un autre système' })
    const address = /POST (\S+)/.exec((await waiting.getByText(/^POST /).textContent()) ?? '')?.[1] ?? ''
    const reported = await fetch(address, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"parcel":"P-7"}' })
    expect(reported.status).toBe(200)
    await page.getByRole('heading', { level: 1 }).getByText('Réussi').waitFor()
    await page.getByRole('button', { name: 'Entrées et sorties' }).click()
    const outputs = page.getByRole('region', { name: 'Sorties' })
    for (const value of ['tonight', '4', 'P-7']) await outputs.getByText(value, { exact: true }).waitFor()
  })

  it('are cancelled, and found again by their filters', async () => {
    const run = await start('sleeper')
    const page = await on.open({ at: `/runs/${run}` })
    await page.getByRole('button', { name: 'Cancel run' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel the run' }).click()
    await page.getByRole('heading', { level: 1 }).getByText('Cancelled').waitFor()

    await page.goto(`${on.url}/runs`)
    const list = page.getByRole('list', { name: 'Runs' })
    await page.getByRole('button', { name: 'Cancelled', exact: true }).click()
    await expect.poll(() => list.getByRole('listitem').count()).toBe(1)
    await page.reload()
    await expect.poll(() => list.getByRole('listitem').count()).toBe(1)
    await page.getByRole('button', { name: 'All', exact: true }).click()
    await page.getByLabel('Workflow', { exact: true }).selectOption('delivery')
    await page.getByLabel("Search, or paste a run's id").fill('hand_over 503')
    await expect.poll(() => list.getByRole('listitem').count()).toBe(1)
    await page.getByLabel("Search, or paste a run's id").fill(run)
    await page.getByRole('heading', { level: 1 }).getByText('sleeper').waitFor()
  })

  it('are watched from another page that was open before, also when the server was away', async () => {
    const page = await on.open({ at: '/dashboard' })
    await page.getByRole('heading', { name: 'Latest runs' }).waitFor()
    await on.server.down()
    await page.getByText('Reconnecting…').waitFor()
    await on.server.up()
    await page.getByRole('status').filter({ hasText: 'Live' }).waitFor({ timeout: 30_000 })
    const before = await page.getByRole('link', { name: /sleeper/ }).filter({ hasText: 'Running' }).count()
    await start('sleeper')
    await expect.poll(() => page.getByRole('link', { name: /sleeper/ }).filter({ hasText: 'Running' }).count(), { timeout: 15_000 }).toBe(before + 1)
  })

  it('begin when a webhook is called that somebody tries', async () => {
    await on.server.api('POST', '/workflows/sleeper/enable')
    const page = await on.open({ at: '/triggers' })
    await page.getByRole('button', { name: 'Try it: listen' }).click()
    await page.getByText('Waiting for a call.').waitFor()
    const called = await fetch(`${on.server.url}/hooks/local/sleeper`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })
    expect(called.ok).toBe(true)
    await page.getByRole('log', { name: 'Calls that came' }).getByText('Running').waitFor()
    expect(await accessibilityProblems(page)).toEqual([])
  })
})
