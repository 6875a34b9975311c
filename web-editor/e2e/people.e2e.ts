import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibilityProblems, shot, stage, type Stage } from './browser'
import { sleeper } from './workflows'

let on: Stage
beforeAll(async () => {
  on = await stage()
  await on.server.addWorkflow(sleeper)
})
afterAll(() => on?.close())

describe('people and keys', () => {
  it('let somebody in who may only look', async () => {
    const page = await on.open({ at: '/users' })
    await page.getByRole('button', { name: 'Let somebody in' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Email').fill('no address')
    await dialog.getByRole('button', { name: 'Let in' }).click()
    await dialog.getByText('This is no email address.').waitFor()
    await dialog.getByLabel('Email').fill('vera@example.org')
    await dialog.getByLabel('Name').fill('Vera <i>V</i>')
    await shot(page, 'add-user-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await dialog.getByRole('button', { name: 'Let in' }).click()
    const letter = (await dialog.locator('pre').textContent()) ?? ''
    const password = /Password: (\S+)/.exec(letter)?.[1] ?? ''
    await dialog.getByRole('button', { name: 'Close' }).last().click()
    await page.getByRole('cell', { name: 'Vera <i>V</i> vera@example.org' }).waitFor()

    const hers = await on.open({ at: '/workflows', as: { email: 'vera@example.org', password } })
    await hers.getByRole('link', { name: /sleeper/ }).waitFor()
    expect(await hers.getByRole('button', { name: 'New workflow' }).count()).toBe(0)
    expect(await hers.getByRole('switch').isDisabled()).toBe(true)
    const places = await hers.getByRole('navigation', { name: 'Main' }).getByRole('link').allInnerTexts()
    expect(places.map((text) => text.trim()).filter(Boolean)).toEqual(['WindFlow', 'Dashboard', 'Marketplace', 'Workflows', 'Runs', 'Triggers', 'Stacks', 'Deployments', 'Targets', 'Plugins', 'Settings'])
    const { run } = (await (await on.server.api('POST', '/workflows/sleeper/runs', {})).json()) as { run: string }
    await hers.goto(`${on.url}/runs/${run}`)
    await hers.getByRole('heading', { level: 1 }).getByText('Running').waitFor()
    for (const name of ['Cancel run', 'Resume', 'Re-run']) expect(await hers.getByRole('button', { name }).count()).toBe(0)
    await hers.goto(`${on.url}/users`)
    await hers.getByText('You may not see this').waitFor()

    // A role holds at once; what she may then do she sees after a reload.
    await page.getByLabel('Role of Vera <i>V</i>').selectOption('editor')
    await page.getByText('has the role Editor from now on').waitFor()
    await hers.goto(`${on.url}/workflows`)
    await hers.getByRole('button', { name: 'New workflow' }).waitFor()

    await page.getByRole('button', { name: 'Remove Vera <i>V</i>' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
    await page.getByText('was removed').waitFor()
    await hers.reload()
    await hers.getByRole('heading', { name: 'Sign in' }).waitFor()
  })

  it('make a key that may do what was ticked and nothing else, until it is taken away', async () => {
    const page = await on.open({ at: '/api-keys', theme: 'dark' })
    await page.getByText('No API key yet').waitFor()
    await page.getByRole('button', { name: 'Make a key' }).first().click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Name').fill('ci')
    await dialog.getByRole('button', { name: 'Make the key' }).click()
    await dialog.getByText('Choose what it may do.').waitFor()
    await dialog.getByLabel('runs:read').check()
    await shot(page, 'add-key-en-dark')
    expect(await accessibilityProblems(page)).toEqual([])
    await dialog.getByRole('button', { name: 'Make the key' }).click()
    await dialog.getByRole('button', { name: 'Copy the key' }).click()
    await dialog.getByRole('status').filter({ hasText: 'Copied' }).first().waitFor()
    const token = await page.evaluate(() => navigator.clipboard.readText())
    expect(token).toBe(await dialog.locator('[data-token]').textContent())
    expect(await accessibilityProblems(page)).toEqual([])
    const asked = (path: string) => fetch(`${on.server.url}/api/v1${path}`, { headers: { authorization: `Bearer ${token}` } }).then(({ status }) => status)
    expect([await asked('/runs'), await asked('/users')]).toEqual([200, 403])

    await dialog.getByRole('button', { name: 'I have kept it' }).click()
    await page.reload()
    await page.getByRole('cell', { name: 'ci', exact: true }).waitFor()
    expect(await page.content()).not.toContain(token)
    await page.getByRole('button', { name: 'Remove ci' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
    await page.getByText('No API key yet').waitFor()
    expect(await asked('/runs')).toBe(401)
  })

  it('keep secrets that nobody can read again', async () => {
    const page = await on.open({ at: '/secrets', language: 'fr' })
    await page.getByText('Aucun secret').waitFor()
    await page.getByRole('button', { name: 'Ajouter un secret' }).first().click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Nom').fill('Knock Token')
    await dialog.getByLabel('Valeur', { exact: true }).fill('swordfish-7')
    await dialog.getByRole('button', { name: 'Enregistrer' }).click()
    await dialog.getByText('Commencez par une minuscule').waitFor()
    await dialog.getByLabel('Nom').fill('knock_token')
    await dialog.getByLabel('Valeur', { exact: true }).fill('swordfish-7')
    await dialog.getByRole('button', { name: 'Enregistrer' }).click()
    await page.getByRole('cell', { name: 'knock_token', exact: true }).waitFor()
    await dialog.waitFor({ state: 'hidden' })
    expect(await page.content()).not.toContain('swordfish-7')
    expect(await accessibilityProblems(page)).toEqual([])
    await page.getByRole('button', { name: 'Remplacer knock_token' }).click()
    await dialog.getByLabel('Valeur', { exact: true }).fill('swordfish-8')
    await dialog.getByRole('button', { name: 'Enregistrer' }).click()
    // The word for the first time may still be there.
    await dialog.waitFor({ state: 'hidden' })
    await page.getByRole('button', { name: 'Retirer knock_token' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Retirer' }).click()
    await page.getByText('Aucun secret').waitFor()
  })
})

describe('the audit trail', () => {
  it('tells who changed what, and finds it again', async () => {
    await on.server.api('PUT', '/secrets/audited', { value: 'hunter2hunter2' })
    const page = await on.open({ at: '/audit', theme: 'dark' })
    const row = page.getByRole('row').filter({ hasText: 'secrets/audited' })
    await row.getByText('PUT').waitFor()
    await row.getByText('200').waitFor()
    await shot(page, 'audit-en-dark')
    expect(await accessibilityProblems(page)).toEqual([])
    await page.getByLabel('Search by person, key or path').fill('nobody at all')
    await page.getByText('Nothing fits').waitFor()
    expect(await page.locator('body').textContent()).not.toContain('hunter2')
  })
})

describe('one\'s own password', () => {
  it('is changed by who knows the old one, and signs out everywhere else', async () => {
    await on.server.api('POST', '/users', { email: 'pia@example.org', name: 'Pia', role: 'editor', password: 'pia has a horse' })
    const as = { email: 'pia@example.org', password: 'pia has a horse' }
    const [page, elsewhere] = [await on.open({ at: '/settings', as }), await on.open({ at: '/settings', as, language: 'fr' })]
    await page.getByRole('button', { name: 'Change the password' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Current password').fill('no horse at all')
    await dialog.getByLabel('New password').fill('pia has two horses')
    await dialog.getByRole('button', { name: 'Change the password' }).click()
    await dialog.getByText('This is not your current password.').waitFor()
    await shot(page, 'password-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await dialog.getByLabel('Current password').fill(as.password)
    await dialog.getByRole('button', { name: 'Change the password' }).click()
    await page.getByText('The new password holds from now on.').waitFor()
    await page.reload()
    await page.getByText('pia@example.org').first().waitFor()
    await elsewhere.reload()
    await elsewhere.getByRole('heading', { name: 'Connexion' }).waitFor()
  })
})
