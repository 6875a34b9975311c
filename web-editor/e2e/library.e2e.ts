import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibilityProblems, shot, stage, type Stage } from './browser'

const filed = (name: string, labels: string) => `windflow: 1\nname: ${name}\ndescription: Looks after <b>${name}</b>.\n${labels}nodes:\n  a: { uses: log@1, with: { message: hi } }\n`

let on: Stage
beforeAll(async () => {
  on = await stage()
  for (const text of [filed('invoices', 'folder: sales/monthly\ntags: [customers, money]\n'), filed('orders', 'folder: sales\ntags: [customers]\n'), filed('backup', '')]) await on.server.api('POST', '/workflows', text, 'application/yaml')
})
afterAll(() => on?.close())

describe('the library of workflows', () => {
  it('is kept in folders and found by tags; both are part of the text', async () => {
    const page = await on.open({ at: '/workflows' })
    const names = () => page.locator('.item .name').allTextContents()
    await page.getByRole('link', { name: /^backup/ }).waitFor()
    await shot(page, 'library-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await page.getByRole('button', { name: /^sales/ }).click()
    await expect.poll(async () => (await names()).sort()).toEqual(['invoices', 'orders'])
    await page.getByRole('button', { name: /^money/ }).click()
    await expect.poll(names).toEqual(['invoices'])
    // The place is part of the address.
    expect(page.url()).toContain('folder=sales&tag=money')
    await page.getByRole('button', { name: 'All workflows' }).click()
    await page.getByRole('button', { name: /^money/ }).click()

    await page.getByRole('button', { name: 'More: backup' }).click()
    await page.getByRole('menuitem', { name: 'Folder and tags' }).click()
    await page.getByLabel('Folder', { exact: true }).fill('ops / nightly')
    await page.getByRole('textbox', { name: 'Tags' }).fill('safe, customers')
    await shot(page, 'library-labels-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await page.getByRole('button', { name: 'Save', exact: true }).click()
    await page.getByText('backup is filed.').waitFor()
    await page.getByRole('button', { name: /^ops/ }).waitFor()
    const text = await (await on.server.api('GET', '/workflows/backup/document')).text()
    expect(text).toContain('folder: ops/nightly\ntags: [safe, customers]\n')
  })

  it('tells of a dropped file what is wrong, at its line', async () => {
    const page = await on.open({ at: '/workflows', language: 'fr', theme: 'dark', width: 400, height: 800 })
    await page.getByRole('link', { name: /^backup/ }).waitFor()
    const transfer = await page.evaluateHandle(() => {
      const data = new DataTransfer()
      data.items.add(new File(['windflow: 1\nname: dropped\nnodes:\n  a: { uses: lgo@1 }\n'], 'dropped.yaml'))
      data.items.add(new File(['windflow: 1\nname: fine\nnodes:\n  a: { uses: log@1, with: { message: hi } }\n'], 'fine.yaml'))
      return data
    })
    for (const event of ['dragenter', 'dragover', 'drop']) await page.dispatchEvent('.page', event, { dataTransfer: transfer })
    await page.getByText('Ligne 4').first().waitFor()
    // By its code, in French; what it names stays as it is.
    await page.getByText('n’est pas installé.').first().waitFor()
    await page.getByText('vouliez-vous dire').first().waitFor()
    await page.getByRole('link', { name: /^fine/ }).waitFor()
    await shot(page, 'library-dropped-fr-dark-phone')
    expect(await accessibilityProblems(page)).toEqual([])
  })
})
