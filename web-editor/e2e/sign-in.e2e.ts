import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibilityProblems, shot, signIn, stage, type Stage } from './browser'
import { owner } from './windflow'

let on: Stage
beforeAll(async () => (on = await stage({ withOwner: false })))
afterAll(() => on?.close())

describe('a new installation', () => {
  it('is set up, and lets its owner in', async () => {
    const page = await on.open()
    await page.goto(`${on.url}/set-up`)
    await page.getByRole('heading', { level: 1 }).waitFor()
    await shot(page, 'set-up-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await page.getByLabel('Set-up token').fill(on.server.setupToken)
    await page.getByLabel('Your name').fill('Ada')
    await page.getByLabel('Email').fill(owner.email)
    await page.getByLabel('Password', { exact: true }).fill(owner.password)
    await page.getByRole('button', { name: 'Create the owner' }).click()
    await page.getByRole('heading', { name: 'Workflows' }).waitFor()
  })

  it('leads back to where somebody wanted to be, and survives a reload', async () => {
    const page = await on.open({ language: 'fr', theme: 'dark' })
    await page.goto(`${on.url}/settings`)
    await page.getByRole('heading', { name: 'Connexion' }).waitFor()
    await shot(page, 'sign-in-fr-dark')
    expect(await accessibilityProblems(page)).toEqual([])
    await signIn(page)
    expect(new URL(page.url()).pathname).toBe('/settings')
    await page.reload()
    await page.getByRole('heading', { level: 1 }).waitFor()
    expect(new URL(page.url()).pathname).toBe('/settings')
    await shot(page, 'shell-fr-dark')
    expect(await accessibilityProblems(page)).toEqual([])
  })

  it('says when email and password do not match', async () => {
    const page = await on.open()
    await page.goto(`${on.url}/sign-in?back=//evil.example`)
    await page.getByLabel('Email').fill(owner.email)
    await page.getByLabel('Password', { exact: true }).fill('not the password')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('Email and password do not match.').waitFor()
    await signIn(page)
    expect(page.url().startsWith(on.url)).toBe(true)
  })
})
