import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibilityProblems, shot, stage, type Stage } from './browser'

/** Valid, and yet nobody gets in, and its node fails: a secret and a credential are still to be set. */
const lacking = `windflow: 1
name: lacking
triggers:
  knock: { uses: webhook, with: { path: lacking, auth: { bearer: knock_token } } }
  hourly: { uses: cron, with: { schedule: "0 * * * *" } }
permissions: { http: ["example.org"], credentials: [team_chat] }
nodes:
  tell: { uses: http@1, with: { url: "https://example.org/", credential: team_chat } }
`

let on: Stage
beforeAll(async () => {
  on = await stage()
  await on.server.addWorkflow(lacking)
  await on.server.api('POST', '/workflows/lacking/enable')
})
afterAll(() => on?.close())

describe('what a trigger lacks', () => {
  it('is told at the trigger, and leads to where it is set', async () => {
    const page = await on.open({ at: '/triggers' })
    const card = (name: string) => page.getByRole('listitem').filter({ has: page.getByRole('heading', { name, exact: true }) })
    await card('knock').getByText('The secret knock_token is not set: nobody gets in.').waitFor()
    await card('hourly').getByText('The credential team_chat is not set: nodes that use it fail.').waitFor()
    await shot(page, 'triggers-lacking-en-light')
    expect(await accessibilityProblems(page)).toEqual([])

    const dialog = page.getByRole('dialog')
    await card('knock').getByRole('link', { name: 'Set the secret' }).click()
    await expect.poll(() => dialog.getByLabel('Name', { exact: true }).inputValue()).toBe('knock_token')
    await dialog.getByLabel('Value', { exact: true }).fill('open sesame')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.waitFor({ state: 'hidden' })
    // Going back leads to the trigger, which now lacks the credential of its node only.
    await page.goBack()
    await card('knock').getByText('The credential team_chat').waitFor()
    const called = await fetch(`${on.server.url}/hooks/local/lacking`, { method: 'POST', headers: { authorization: 'Bearer open sesame' } })
    expect(called.ok).toBe(true)

    await card('hourly').getByRole('link', { name: 'Set the credential' }).click()
    await expect.poll(() => dialog.getByLabel('Name', { exact: true }).inputValue()).toBe('team_chat')
    await dialog.getByLabel('Token', { exact: true }).fill('swordfish')
    await dialog.getByLabel('Hosts').fill('example.org')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.waitFor({ state: 'hidden' })
    await page.goBack()
    await card('hourly').waitFor()
    await page.getByText('is not set').first().waitFor({ state: 'hidden' })
  })

  it('is told to those who may not set it, in French, on a phone', async () => {
    await on.server.api('DELETE', '/secrets/knock_token')
    const eve = { email: 'eve@example.org', password: 'correct horse battery' }
    await on.server.api('POST', '/users', { ...eve, name: 'Eve', role: 'viewer' })
    const page = await on.open({ at: '/triggers', as: eve, language: 'fr', theme: 'dark', width: 390, height: 844 })
    await page.getByText('Le secret knock_token n’est pas défini : personne n’entre.').waitFor()
    await page.getByText('Demandez à quelqu’un qui gère les secrets de le définir.').waitFor()
    expect(await page.getByRole('link', { name: 'Définir le secret' }).count()).toBe(0)
    await shot(page, 'triggers-lacking-fr-dark-phone')
    expect(await accessibilityProblems(page)).toEqual([])
    expect(await page.evaluate(() => document.querySelector('#content')!.scrollWidth - document.querySelector('#content')!.clientWidth)).toBe(0)
  })
})
