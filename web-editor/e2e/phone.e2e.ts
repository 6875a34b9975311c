import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibilityProblems, resting, shot, stage, type Stage } from './browser'
import { release, shop } from './workflows'

/** As long as names get in practice: what fits with these fits. */
const long = 'quarterly-report-of-all-departments-in-europe'
const secret = long.replaceAll('-', '_')
const looks = [
  ['en', 'light'],
  ['fr', 'dark'],
] as const

let on: Stage
const pages = new Map<string, Page>()
beforeAll(async () => {
  on = await stage()
  await on.server.addWorkflow(release.replace('name: release', `name: ${long}`))
  await on.server.api('PUT', '/drafts/begun', 'windflow: 1\nname: begun\nnodes: {}\n', 'application/yaml')
  await on.server.api('PUT', `/secrets/${secret}`, { value: 'swordfish-7' })
  await on.server.api('PUT', `/credentials/${secret}`, { bind: 'bearer', hosts: ['example.org'], value: 'swordfish-7' })
  await on.server.api('POST', '/api-keys', { name: long, scopes: ['runs:read'] })
  await on.server.api('POST', '/users', { email: `${long}@example.org`, name: 'Ben <b>B</b>', role: 'editor', password: 'correct horse battery' })
  await on.server.api('POST', '/targets', { name: long, address: 'unix:///nowhere/docker.sock' })
  await on.server.api('POST', '/stacks', { name: long, text: shop.replace('name: shop', `name: ${long}`) })
  for (const [language, theme] of looks) pages.set(language, await on.open({ language, theme, width: 390, height: 844, at: '/settings' }))
})
afterAll(() => on?.close())

/** Nothing of it is outside of what is seen. */
async function fits(page: Page, part: string) {
  const box = await page.locator(part).filter({ visible: true }).first().boundingBox()
  expect(box!.x).toBeGreaterThanOrEqual(0)
  expect(box!.x + box!.width).toBeLessThanOrEqual(390)
  expect(box!.y + box!.height).toBeLessThanOrEqual(844)
  // Nor is anything in it wider than it.
  expect(await page.locator(part).filter({ visible: true }).first().evaluate((element) => element.scrollWidth - element.clientWidth)).toBeLessThanOrEqual(0)
}

/** Where something is removed, and how the question is come by: a button with this word, or a menu's last item. */
const removals = [
  ['/secrets', { en: 'Remove', fr: 'Retirer' }, 'button'],
  ['/credentials', { en: 'Remove', fr: 'Retirer' }, 'button'],
  ['/api-keys', { en: 'Remove', fr: 'Retirer' }, 'button'],
  ['/users', { en: 'Remove', fr: 'Retirer' }, 'button'],
  ['/targets', { en: 'Remove', fr: 'Retirer' }, 'button'],
  ['/stacks', { en: 'More', fr: 'Plus' }, 'menu'],
  ['/workflows', { en: 'More', fr: 'Plus' }, 'menu'],
  ['/workflows?drafts', { en: 'begun', fr: 'begun' }, 'button'],
] as const

describe.each(looks)('on a phone, in %s and %s', (language, theme) => {
  it.each(removals)('removing at %s is asked for in a dialog that fits', async (path, words, by) => {
    const page = pages.get(language)!
    await page.goto(`${on.url}${path}`)
    await page.locator('#content').getByRole('button', { name: words[language] }).last().click()
    if (by === 'menu') await page.getByRole('menuitem').filter({ visible: true }).last().click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('button').last().waitFor()
    await shot(page, `phone-remove${path.replace(/\W+/g, '-')}-${language}-${theme}`)
    await fits(page, '.el-dialog')
    expect(await accessibilityProblems(page)).toEqual([])
  })

  it('a node is looked at in a panel that fits', async () => {
    const page = pages.get(language)!
    await page.goto(`${on.url}/workflows/${long}`)
    await resting(page)
    await page.locator('.vue-flow__node').first().click()
    await page.locator('.node-panel').waitFor()
    await shot(page, `phone-node-${language}-${theme}`)
    await fits(page, '.node-panel')
    expect(await accessibilityProblems(page)).toEqual([])
  })
})
