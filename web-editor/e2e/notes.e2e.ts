import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibilityProblems, resting, save, shot, stage, type Stage } from './browser'

let on: Stage
beforeAll(async () => {
  on = await stage()
  const made = await on.server.api('POST', '/workflows', noted, 'application/yaml')
  expect(made.status).toBe(201)
})
afterAll(() => on?.close())

const noted = `windflow: 1
name: noted
nodes:
  # Says hello.
  hello: { uses: log@1, with: { message: hello } }
layout:
  hello: [0, 0]
`
const note = (page: Page, id: string) => page.locator(`.vue-flow__node[data-id="note:${id}"]`)
const text = async () => (await on.server.api('GET', '/workflows/noted/document')).text()

describe('notes', () => {
  it('are written, coloured, moved, made larger, copied and taken back', async () => {
    const page = await on.open({ at: '/workflows/noted' })
    const dialogs: string[] = []
    page.on('dialog', (dialog) => void (dialogs.push(dialog.message()), dialog.dismiss()))
    await resting(page)
    await page.getByRole('button', { name: 'Add a note (⇧S)' }).click()
    const paper = page.getByRole('textbox', { name: 'Text of the note, as Markdown' })
    await paper.fill('## Why\n\nAsk **Ada** first. <img src=x onerror=alert(1)> [The plan](https://example.org)')
    await paper.press('Escape')
    await note(page, 'note').getByRole('heading', { name: 'Why' }).waitFor()
    await note(page, 'note').getByText('<img src=x onerror=alert(1)>').waitFor()
    await note(page, 'note').getByRole('button', { name: 'Blue' }).click()
    await note(page, 'note').locator('button[aria-pressed=true][aria-label="Blue"]').waitFor()

    const box = async () => (await note(page, 'note').boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 }
    const drag = async ([x, y]: [number, number], [dx, dy]: [number, number]) => {
      await page.mouse.move(x, y)
      await page.mouse.down()
      await page.mouse.move(x + dx / 2, y + dy / 2, { steps: 4 })
      await page.mouse.move(x + dx, y + dy, { steps: 4 })
      await page.mouse.up()
    }
    const before = await box()
    await drag([before.x + 60, before.y + before.height - 20], [-240, -260])
    await expect.poll(async () => Math.round((await box()).x - before.x)).toBeLessThan(-200)
    const moved = await box()
    await drag([moved.x + moved.width, moved.y + moved.height], [120, 60])
    await expect.poll(async () => Math.round((await box()).width - moved.width)).toBeGreaterThan(90)
    await shot(page, 'notes-en-light')
    expect(await accessibilityProblems(page)).toEqual([])

    // Keys do it, too: copy, paste, undo, write, delete.
    await note(page, 'note').focus()
    await page.keyboard.press('Control+c')
    await page.keyboard.press('Control+v')
    // Keys go to what is chosen.
    await page.locator('.vue-flow__node.selected[data-id="note:note_2"]').waitFor()
    await page.keyboard.press('Enter')
    await paper.fill('Second')
    await paper.press('Control+Enter')
    await note(page, 'note_2').getByText('Second').waitFor()
    await page.keyboard.press('Delete')
    await note(page, 'note_2').waitFor({ state: 'hidden' })
    await page.keyboard.press('Control+z')
    await note(page, 'note_2').getByText('Second').waitFor()
    await page.keyboard.press('Control+z')
    await page.keyboard.press('Control+z')
    await note(page, 'note_2').waitFor({ state: 'hidden' })

    await save(page)
    const saved = await text()
    expect(saved).toContain('  # Says hello.\n  hello: { uses: log@1')
    expect(saved).toMatch(/\nnotes:\n {2}note:\n {4}text: \|?-?[\s\S]*## Why[\s\S]*at: \[-?\d+, -?\d+\]\n {4}color: blue\n {4}size: \[\d+, \d+\]\nlayout:\n/)
    expect(dialogs).toEqual([])
  })

  it('are read in the dark, in French, and on a phone', async () => {
    const page = await on.open({ at: '/workflows/noted', language: 'fr', theme: 'dark', width: 400, height: 800 })
    await resting(page)
    await note(page, 'note').click()
    await shot(page, 'notes-fr-dark-phone')
    expect(await accessibilityProblems(page)).toEqual([])
    await page.setViewportSize({ width: 1440, height: 900 })
    await page.keyboard.press('1')
    await resting(page)
    await shot(page, 'notes-fr-dark')
  })
})
