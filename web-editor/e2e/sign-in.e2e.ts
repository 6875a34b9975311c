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

describe('on a slow line', () => {
  it.each([
    ['en', 'light', 390, 'Sign in'],
    ['fr', 'dark', 1440, 'Connexion'],
  ] as const)('the sign-in is seen and typed into before the application is there, in %s and %s', async (language, theme, width, title) => {
    const page = await on.open({ language, theme, width, height: 844 })
    let release: () => void = () => undefined
    const held = new Promise<void>((done) => (release = done))
    await page.route('**/assets/start-*.js', async (route) => {
      await held
      await route.continue()
    })
    await page.goto(`${on.url}/runs`, { waitUntil: 'commit' })
    await page.getByRole('heading', { level: 1, name: title }).waitFor()
    const [email, password] = [page.locator('input[type=email]:visible'), page.locator('input[type=password]:visible')]
    const look = async () => ({ email: await email.boundingBox(), title: await page.getByRole('heading', { level: 1 }).boundingBox(), button: await page.locator('button[type=submit]:visible').boundingBox() })
    await email.fill(owner.email)
    await password.fill(owner.password)
    // It is the application that sends it.
    await password.press('Enter')
    expect(new URL(page.url()).search).toBe('')
    const before = await look()
    await shot(page, `first-${language}-${theme}`)
    expect(await accessibilityProblems(page)).toEqual([])

    release()
    await page.locator('#app > .first-page').first().waitFor({ state: 'detached' })
    await page.locator('button[type=submit]:enabled').waitFor()
    expect([await email.inputValue(), await password.inputValue()]).toEqual([owner.email, owner.password])
    await expect.poll(() => password.evaluate((field) => field === document.activeElement)).toBe(true)
    await shot(page, `first-after-${language}-${theme}`)
    const after = await look()
    // Line for line where it stood; the frame of a field is drawn around it.
    expect(after.title).toEqual(before.title)
    expect(after.button).toEqual(before.button)
    for (const side of ['x', 'y'] as const) expect(Math.abs(after.email![side] - before.email![side])).toBeLessThanOrEqual(1)
    await password.press('Enter')
    await page.waitForURL('**/runs')
    await page.locator('#content').waitFor()
  })

  it.each(['start-*.css', 'index-*.js'])('is there although %s did not come at first', async (file) => {
    const page = await on.open()
    let missed = 0
    await page.route(`**/assets/${file}`, (route) => (missed++ === 0 ? route.abort('connectionreset') : route.continue()))
    await page.goto(`${on.url}/runs`, { waitUntil: 'commit' })
    await signIn(page)
    expect(missed).toBe(2)
  })

  it('is not asked for again although an answer got lost', async () => {
    const page = await on.open({ at: '/runs' })
    let lost = 0
    await page.route('**/api/v1/auth/refresh', async (route) => {
      if (lost++ > 0) return route.continue()
      // The server has answered with another token; the browser still has the one before.
      const before = await page.context().cookies()
      await route.fetch()
      await page.context().addCookies(before)
      await route.abort('connectionreset')
    })
    await page.reload()
    await page.locator('#content').waitFor()
    expect(lost).toBeGreaterThan(1)
    expect(new URL(page.url()).pathname).toBe('/runs')
  })

  it('is not shown to somebody who is signed in', async () => {
    const page = await on.open()
    await page.goto(`${on.url}/runs`)
    await signIn(page)
    // What `public/theme.js` says before anything is painted, and what the styles go by.
    const shown = () => page.evaluate(() => document.documentElement.dataset.first)
    expect(await shown()).toBe('en')
    await page.reload()
    await page.locator('#content').waitFor()
    expect(await shown()).toBeUndefined()
  })
})
