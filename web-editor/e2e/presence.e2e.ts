import { afterAll, beforeAll, expect, it } from 'vitest'
import { accessibilityProblems, shot, stage, type Stage } from './browser'
import { sleeper } from './workflows'

let on: Stage
beforeAll(async () => {
  on = await stage()
  await on.server.addWorkflow(sleeper)
})
afterAll(() => on?.close())

it('two people at one workflow see each other before either overwrites', async () => {
  const ben = { email: 'ben@example.org', password: 'correct horse battery' }
  expect((await on.server.api('POST', '/users', { ...ben, name: 'Ben <b>B</b>', role: 'editor' })).status).toBe(201)
  const his = await on.open({ at: '/workflows/sleeper', as: ben })
  await his.getByRole('button', { name: 'Run', exact: true }).waitFor()
  const page = await on.open({ at: '/workflows/sleeper' })
  const others = page.getByRole('list', { name: 'Also here' })
  await others.getByText('Ben <b>B</b> is here, too').waitFor()

  await his.getByRole('button', { name: 'Add a note (⇧S)' }).click()
  const paper = his.getByRole('textbox', { name: 'Text of the note, as Markdown' })
  await paper.fill('Later')
  await paper.press('Escape')
  await others.getByText('Ben <b>B</b> is changing it').waitFor({ timeout: 20_000 })
  await shot(page, 'presence-en-light')
  expect(await accessibilityProblems(page)).toEqual([])

  await his.goto(`${on.url}/runs`)
  await others.waitFor({ state: 'detached', timeout: 40_000 })
})

it('another window of one’s own is told as that', async () => {
  const page = await on.open({ at: '/workflows/sleeper', language: 'fr', theme: 'dark' })
  await page.getByRole('button', { name: 'Exécuter', exact: true }).waitFor()
  const second = await page.context().newPage()
  await second.goto(`${on.url}/workflows/sleeper`)
  const others = second.getByRole('list').filter({ hasText: 'Vous, dans une autre fenêtre' })
  await others.waitFor({ timeout: 20_000 })
  await shot(second, 'presence-self-fr-dark')
  expect(await accessibilityProblems(second)).toEqual([])
})
