import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibilityProblems, shot, stage, type Stage } from './browser'
import { sleeper } from './workflows'

let on: Stage
let run: string
const report = async () => (await (await on.server.api('GET', `/runs/${run}`)).json()) as { status: string; stalled?: { reason: string } | null }

/** Ends the server while it takes up its runs one by one, as a run does at which the whole process ends. */
async function endWhileTakingUp(after: number) {
  const up = on.server.up().catch(() => undefined)
  for (let waited = 0; waited < 10_000; waited += 10) {
    if ((await fetch(`${on.server.url}/healthz`).catch(() => undefined))?.ok) break
    await new Promise((done) => setTimeout(done, 10))
  }
  await new Promise((done) => setTimeout(done, after))
  await on.server.down('SIGKILL')
  await up
}

beforeAll(async () => {
  on = await stage()
  await on.server.addWorkflow(sleeper)
  run = ((await (await on.server.api('POST', '/workflows/sleeper/runs', {})).json()) as { run: string }).run
  await on.server.down('SIGKILL')
  for (let time = 0; time < 10; time++) {
    await endWhileTakingUp(40 * (time % 5))
    await on.server.up()
    if ((await report()).stalled) return
    await on.server.down('SIGKILL')
  }
  throw new Error('No run was left alone.')
})
afterAll(() => on?.close())

describe('a run that nobody is at work on', () => {
  it('says why, and goes on when somebody resumes it', async () => {
    const french = await on.open({ at: `/runs/${run}`, language: 'fr', theme: 'dark', width: 390, height: 780 })
    await french.getByRole('alert').getByText('Elle continue dès que quelqu’un la reprend').waitFor()
    await shot(french, 'run-stalled-fr-dark-phone')
    // The reason, too: only what it names stays as it is.
    await french.getByRole('alert').getByText('Windflow s’est arrêté en reprenant cette exécution').waitFor()
    expect(await french.getByRole('button', { name: 'Reprendre' }).count()).toBe(1)
    expect(await accessibilityProblems(french)).toEqual([])
    await french.goto(`${on.url}/runs`)
    await french.getByRole('link', { name: /sleeper/ }).getByText('À l’arrêt').waitFor()

    const page = await on.open({ at: `/runs/${run}` })
    const banner = page.getByRole('alert').filter({ hasText: 'Nobody is at work on this run' })
    await banner.waitFor()
    await shot(page, 'run-stalled-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await banner.getByRole('button', { name: 'Resume' }).click()
    await banner.waitFor({ state: 'detached' })
    expect((await report()).stalled ?? null).toBeNull()
    await page.getByRole('heading', { level: 1 }).getByText('Running').waitFor()
    await on.server.api('POST', `/runs/${run}/cancel`)
    await page.getByRole('heading', { level: 1 }).getByText('Cancelled').waitFor()
  })
})
