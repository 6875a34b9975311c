import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { resting, shot, stage, type Stage } from './browser'
import { owner } from './windflow'

let on: Stage
beforeAll(async () => (on = await stage()))
afterAll(() => on?.close())

describe('without a mouse', () => {
  it('one gets from the sign-in to a finished run', async () => {
    const page = await on.open()
    const press = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key)
    }
    /** Goes on with Tab until something of this name has the focus. */
    const reach = async (name: RegExp) => {
      for (let steps = 0; steps < 60; steps++) {
        const here = await page.evaluate(() => {
          const element = document.activeElement
          return element?.matches('button, a, input, select, [contenteditable=true]') ? `${element.getAttribute('aria-label') ?? ''} ${(element as HTMLElement).innerText ?? ''}`.trim() : ''
        })
        if (name.test(here)) return
        await press('Tab')
      }
      throw new Error(`nothing named ${String(name)} can be reached with Tab`)
    }
    await page.goto(`${on.url}/workflows`)
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await page.waitForFunction(() => document.activeElement?.getAttribute('type') === 'email')
    await page.keyboard.type(owner.email)
    await press('Tab')
    await page.keyboard.type(owner.password)
    await press('Enter')

    await page.getByRole('heading', { name: 'Workflows', exact: true }).waitFor()
    await reach(/^New workflow/)
    await press('Enter')
    // A dialog begins where one writes first, and before it is all there.
    await page.keyboard.type('by-keys')
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('by-keys')
    await press('Enter')

    await page.getByText('Add a first node').waitFor()
    await reach(/Add a first node/)
    await press('Enter')
    await page.keyboard.type('log')
    expect(await page.getByLabel('Search node types').inputValue()).toBe('log')
    await press('Enter')
    // What was added is filled in next: its first field has the focus by itself.
    await page.waitForFunction(() => document.activeElement?.getAttribute('aria-label') === 'Message' && document.activeElement.matches('[contenteditable=true]'))
    await page.keyboard.type('Hello')
    // From a button, too: there Enter alone is the button's own.
    await press('Shift+Tab')
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('BUTTON')
    await press('Control+Enter')
    // A plugin is compiled when it is first used, which takes its time on a busy machine.
    const ended = page.locator('.card:is([data-status=succeeded], [data-status=failed])')
    await ended.waitFor({ timeout: 60_000 })
    expect(await ended.getAttribute('data-status')).toBe('succeeded')

    // On from the node: it is reached with Tab, opened with Enter, and followed by another with N.
    await press('Escape')
    await resting(page)
    await page.locator('.vue-flow__node[data-id=log]').focus()
    await press('Enter', 'n')
    await page.waitForFunction(() => document.activeElement?.getAttribute('role') === 'combobox')
    await page.keyboard.type('template')
    await press('Enter')
    await page.locator('.vue-flow__edge[data-id="log.>template"]').waitFor({ state: 'attached' })
    // The search for nodes has one of these fields, too.
    await page.getByLabel('Search node types').waitFor({ state: 'hidden' })
    // Whoever types at once loses nothing of it.
    await press('Control+k')
    await page.keyboard.type('keys and')
    await press('Enter')
    await page.getByRole('dialog', { name: 'Keys and gestures' }).waitFor()
    await shot(page, 'help-en-light')
  })
})

describe('the first load', () => {
  it('is below 350 kB, compressed, up to the list of workflows', async () => {
    const page = await on.open()
    const sizes = new Map<string, number>()
    const underWay = new Set<object>()
    const isPart = (url: string) => !new URL(url).pathname.startsWith('/api/')
    page.on('request', (asked) => void (isPart(asked.url()) && underWay.add(asked)))
    page.on('requestfailed', (asked) => void underWay.delete(asked))
    page.on('requestfinished', async (asked) => {
      const { pathname } = new URL(asked.url())
      // What ends as the page is closed has no answer to ask for any more; nothing that is weighed does.
      const answer = isPart(asked.url()) ? await asked.response().catch(() => null) : null
      if (answer?.ok()) {
        const body = await answer.body().catch(() => Buffer.alloc(0))
        sizes.set(pathname, pathname.endsWith('.woff2') ? body.length : gzipSync(body).length)
      }
      underWay.delete(asked)
    })
    await page.goto(`${on.url}/workflows`)
    await page.getByLabel('Email').fill(owner.email)
    await page.getByLabel('Password', { exact: true }).fill(owner.password)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Workflows', exact: true }).waitFor()
    // The bell comes last; its stream stays open, so that the network is never idle. What it came with is all there.
    await page.getByRole('button', { name: /^Notifications/ }).waitFor()
    await page.evaluate(() => document.fonts.ready)
    await expect.poll(() => underWay.size).toBe(0)
    const sum = [...sizes.values()].reduce((all, one) => all + one, 0)
    console.info(`first load: ${Math.round(sum / 1000)} kB in ${sizes.size} files`)
    expect(sum).toBeLessThan(350_000)
  })
})
