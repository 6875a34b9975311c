import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibilityProblems, shot, stage, type Stage } from './browser'

let on: Stage
beforeAll(async () => (on = await stage()))
afterAll(() => on?.close())

describe('credentials', () => {
  it('are bound to hosts, changed and removed, and never shown', async () => {
    const page = await on.open({ at: '/credentials' })
    await page.getByText('No credential yet').waitFor()
    await page.getByRole('button', { name: 'Add a credential' }).first().click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Name', { exact: true }).fill('team_git')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.getByText('Name at least one host that may get it.').waitFor()
    await dialog.getByText('At least six characters.').waitFor()
    await dialog.getByLabel('How it is shown').selectOption('header')
    await dialog.getByLabel('Name of the header').fill('X-Api-Key')
    await dialog.getByLabel('Value', { exact: true }).fill('swordfish-7')
    await dialog.getByLabel('Only for these hosts').fill('api.example.org, *.example.net')
    await shot(page, 'add-credential-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await dialog.getByRole('button', { name: 'Save' }).click()
    const row = page.getByRole('row', { name: /team_git/ })
    await row.getByText('*.example.net').waitFor()
    await row.getByText('Header').waitFor()
    await dialog.waitFor({ state: 'hidden' })
    expect(await page.content()).not.toContain('swordfish-7')
    expect(await accessibilityProblems(page)).toEqual([])
    await shot(page, 'credentials-en-light')

    await page.getByRole('button', { name: 'Change team_git' }).click()
    expect(await dialog.getByLabel('Name of the header').inputValue()).toBe('X-Api-Key')
    await dialog.getByLabel('How it is shown').selectOption('url')
    await dialog.getByLabel('Address', { exact: true }).fill('https://hooks.example.org/T/abc')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await row.getByText('Whole address').waitFor()
    await dialog.waitFor({ state: 'hidden' })
    await page.getByRole('button', { name: 'Remove team_git' }).click()
    await dialog.getByRole('button', { name: 'Remove' }).click()
    await page.getByText('No credential yet').waitFor()
  })
})
