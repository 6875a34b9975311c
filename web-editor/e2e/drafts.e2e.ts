import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Page } from 'playwright-core'
import { accessibilityProblems, resting, shot, stage, type Stage } from './browser'

const kept = `windflow: 1\nname: kept\nfolder: ops\nnodes:\n  hello: { uses: log@1, with: { message: hello } }\n`
const ben = { email: 'ben@example.org', password: 'correct horse battery' }

let on: Stage
beforeAll(async () => {
  on = await stage()
  await on.server.addWorkflow(kept)
  await on.server.addWorkflow(kept.replace('name: kept', 'name: other').replace('folder: ops\n', ''))
  await on.server.api('POST', '/users', { ...ben, name: 'Ben', role: 'editor' })
})
afterAll(() => on?.close())
const draft = async (name: string) => (await (await on.server.api('GET', `/drafts/${name}`)).json()) as { text: string }

/** Writes a whole text, as a paste does. */
async function write(page: Page, text: string) {
  await page.locator('.cm-content').click()
  await page.keyboard.press('Control+a')
  await page.keyboard.insertText(text)
}

describe('a draft', () => {
  it('keeps what cannot be saved yet, is continued on another machine, and ends as a version', async () => {
    const page = await on.open({ at: '/workflows/kept' })
    await resting(page)
    await page.getByRole('button', { name: 'YAML', exact: true }).click()
    await write(page, kept.replace('uses: log@1', 'uses: lgo@1'))
    await page.getByRole('button', { name: 'Save as draft' }).click()
    await page.getByRole('status').getByText('Kept as a draft', { exact: true }).waitFor()
    await shot(page, 'draft-kept-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    expect((await draft('kept')).text).toContain('lgo@1')
    // It is safe: leaving asks nothing.
    await page.goto(`${on.url}/workflows`)
    await page.getByRole('link', { name: /^kept/ }).getByText('Draft').waitFor()

    const his = await on.open({ at: '/workflows/kept', as: ben, language: 'fr', theme: 'dark' })
    await his.getByText(/Voici un brouillon que ada@example.org a gardé/).waitFor()
    await resting(his)
    await shot(his, 'draft-opened-fr-dark')
    expect(await accessibilityProblems(his)).toEqual([])
    // Somebody keeps another one meanwhile: both are shown.
    await on.server.api('PUT', '/drafts/kept', kept.replace('log@1', 'lgo@2'), 'application/yaml', { 'if-match': '*' })
    await his.getByRole('button', { name: 'YAML', exact: true }).click()
    await write(his, kept.replace('uses: log@1', 'uses: logg@1'))
    await his.getByRole('button', { name: 'Garder en brouillon' }).click()
    await his.getByRole('dialog').getByText('lgo@2').first().waitFor()
    await his.getByRole('dialog').getByRole('button').last().click()
    await his.getByRole('status').getByText('Gardé en brouillon', { exact: true }).waitFor()
    expect((await draft('kept')).text).toContain('logg@1')

    await write(his, kept.replace('hello }', 'mended }'))
    await his.getByRole('button', { name: 'Enregistrer', exact: true }).click()
    await his.getByRole('status').getByText('Enregistré', { exact: true }).waitFor()
    expect(await (await on.server.api('GET', '/workflows/kept/document')).text()).toContain('mended')
    await expect(on.server.api('GET', '/drafts/kept')).rejects.toThrow('404')
  })

  it('of what is not there yet stands on its own, and is thrown away only when that is agreed to', async () => {
    await on.server.api('PUT', '/drafts/begun', 'windflow: 1\nname: begun\nnodes: {}\n', 'application/yaml')
    const page = await on.open({ at: '/workflows' })
    const drafts = page.getByRole('region', { name: 'Drafts' })
    await drafts.getByRole('link', { name: /^begun/ }).waitFor()
    await shot(page, 'drafts-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await drafts.getByRole('link', { name: /^begun/ }).click()
    await page.getByText(/This is a draft that/).waitFor()
    await page.getByRole('button', { name: 'Discard it' }).waitFor()
    await page.goBack()
    await drafts.getByRole('button', { name: 'Throw the draft begun away' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await drafts.waitFor({ state: 'hidden' })
    await expect(on.server.api('GET', '/drafts/begun')).rejects.toThrow('404')
  })

  it('of an older version overwrites no newer one unseen', async () => {
    const page = await on.open({ at: '/workflows/other' })
    await resting(page)
    await page.getByRole('button', { name: 'YAML', exact: true }).click()
    const text = await page.locator('.cm-content').innerText()
    await write(page, text.replace('hello }', 'mine }'))
    await page.getByText('Not saved', { exact: true }).waitFor()
    page.on('dialog', (dialog) => void dialog.accept())
    const { headers } = await on.server.api('GET', '/workflows/other/document')
    await on.server.api('PUT', '/workflows/other/document', kept.replace('name: kept\nfolder: ops\n', 'name: other\n').replace('hello }', 'theirs }'), 'application/yaml', { 'if-match': headers.get('etag') ?? '' })
    await page.reload()
    await page.getByText('Work that was not saved is back.').waitFor()
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByText('Somebody saved in the meantime').waitFor()
    await page.getByRole('dialog').getByText('theirs').first().waitFor()
  })
})

describe('an archive', () => {
  it('of what is shown is handed out, and looked into before it is brought in', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'windflow-archive-'))
    try {
      const page = await on.open({ at: '/workflows?folder=ops' })
      await page.getByRole('link', { name: /^kept/ }).waitFor()
      const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export 1 workflow' }).click()])
      expect(file.suggestedFilename()).toBe('ops.tar.gz')
      await file.saveAs(join(folder, 'ops.tar.gz'))
      expect(execFileSync('tar', ['tzf', join(folder, 'ops.tar.gz')], { encoding: 'utf8' })).toContain('ops/kept.yaml')

      execFileSync('tar', ['xzf', 'ops.tar.gz'], { cwd: folder })
      writeFileSync(join(folder, 'ops/kept.yaml'), readFileSync(join(folder, 'ops/kept.yaml'), 'utf8').replace('mended', 'again'))
      writeFileSync(join(folder, 'ops/fresh.yaml'), kept.replace('name: kept', 'name: fresh'))
      writeFileSync(join(folder, 'ops/wrong.yaml'), kept.replace('name: kept', 'name: wrong').replace('log@1', 'lgo@1'))
      execFileSync('tar', ['czf', 'more.tgz', 'ops'], { cwd: folder })
      const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.getByRole('button', { name: 'Import', exact: true }).click()])
      await chooser.setFiles(join(folder, 'more.tgz'))
      const dialog = page.getByRole('dialog', { name: 'What more.tgz brings' })
      await dialog.locator('[data-outcome=refused]').getByText('lgo@1').first().waitFor()
      await dialog.locator('[data-outcome=created]').getByText('fresh', { exact: true }).waitFor()
      await dialog.locator('[data-outcome=updated]').getByText('kept', { exact: true }).waitFor()
      await shot(page, 'archive-en-light')
      expect(await accessibilityProblems(page)).toEqual([])
      await page.setViewportSize({ width: 390, height: 780 })
      await shot(page, 'archive-en-light-phone')
      await page.setViewportSize({ width: 1440, height: 900 })
      // Only looked into so far.
      await expect(on.server.api('GET', '/workflows/fresh')).rejects.toThrow('404')
      await dialog.getByRole('button', { name: 'Bring in 2 workflows' }).click()
      await page.getByRole('link', { name: /^fresh/ }).waitFor()
      expect(await (await on.server.api('GET', '/workflows/kept/document')).text()).toContain('again')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
