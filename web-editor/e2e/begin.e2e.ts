import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibilityProblems, resting, shot, stage, type Stage } from './browser'

let on: Stage
beforeAll(async () => {
  on = await stage()
})
afterAll(() => on?.close())

describe('a server on which nothing has been drawn', () => {
  it('shows where to begin, on a phone and in French, too', async () => {
    const page = await on.open({ at: '/workflows', language: 'fr', theme: 'dark', width: 390, height: 780 })
    await page.getByRole('link', { name: /prêts à l’emploi/ }).waitFor()
    await shot(page, 'begin-fr-dark-phone')
    expect(await accessibilityProblems(page)).toEqual([])
    expect(await page.evaluate(() => document.querySelector('#content')!.scrollWidth - document.querySelector('#content')!.clientWidth)).toBe(0)
  })

  it('leads from the dashboard to a workflow out of a template', async () => {
    const page = await on.open({ at: '/dashboard' })
    const points = page.getByRole('region', { name: 'Nothing to see yet' })
    await expect.poll(() => points.getByRole('listitem').count()).toBe(6)
    await shot(page, 'begin-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    const second = points.getByRole('listitem').nth(1).getByRole('link')
    const title = await second.innerText()
    await second.click()
    const dialog = page.getByRole('dialog', { name: 'New workflow' })
    const name = await dialog.getByRole('textbox').first().inputValue()
    expect(name).toMatch(/^[a-z][a-z0-9-]+$/)
    expect(await dialog.locator('select option:checked').innerText()).toBe(title)
    await shot(page, 'begin-dialog-en-light')
    await dialog.getByRole('button', { name: 'Create' }).click()
    await page.waitForURL(`**/workflows/${name}`)
    await resting(page)
    expect(await page.locator('.vue-flow__node').count()).toBeGreaterThan(1)
    // Going back does not ask again.
    await page.goBack()
    await page.getByRole('link', { name: new RegExp(`^${name}`) }).waitFor()
    expect(await page.getByRole('dialog').count()).toBe(0)
  })
})
