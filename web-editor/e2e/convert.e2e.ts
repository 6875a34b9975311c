import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessibilityProblems, shot, stage, type Stage } from './browser'

let on: Stage
beforeAll(async () => (on = await stage()))
afterAll(() => on?.close())

const compose = `# Our blog
services:
  blog:
    image: wordpress:6.9
    ports: ["8080:80"]
    environment: { WORDPRESS_DB_PASSWORD: s3cret }
    depends_on: [db]
  db:
    image: mysql:9.1
    environment: { MYSQL_PASSWORD: s3cret }
`
const portainer = JSON.stringify({
  version: '2',
  templates: [
    { type: 1, title: 'Café <b>proxy</b>', description: 'A <script>alert(1)</script> proxy', image: 'nginx:1.28', ports: ['8080:80/tcp'] },
    { type: 1, title: 'Cache', description: 'A cache', image: 'redis:8.2', ports: ['6379:6379/tcp'] },
    { type: 1, title: 'Spy', description: 'Sees it all', image: 'busybox:1.37', privileged: true },
  ],
})

describe('what other systems have', () => {
  it('becomes a stack: a Compose file, with the variables that were found', async () => {
    const page = await on.open({ at: '/stacks' })
    await page.getByRole('link', { name: 'From elsewhere' }).click()
    await page.getByRole('heading', { level: 1, name: 'Bring in from elsewhere' }).waitFor()
    await shot(page, 'convert-empty-en-light')
    await page.getByLabel('Text to convert').fill(compose)
    await page.getByRole('button', { name: 'Convert', exact: true }).click()
    await page.getByText('WORDPRESS_DB_PASSWORD').first().waitFor()
    await page.getByText('BLOG_PORT').first().waitFor()
    await shot(page, 'convert-compose-en-light')
    expect(await accessibilityProblems(page)).toEqual([])
    await page.getByRole('button', { name: 'Make a stack of it' }).click()
    await page.waitForURL('**/stacks/blog')
    const text = await (await on.server.api('GET', '/stacks/blog/versions')).text()
    expect(text).toContain('# Our blog')
    expect(text).not.toContain('s3cret')
  })

  it('is offered one by one, and what is unsafe is refused with the reason', async () => {
    const page = await on.open({ at: '/marketplace/import', language: 'fr', theme: 'dark' })
    const dialogs: string[] = []
    page.on('dialog', (dialog) => void (dialogs.push(dialog.message()), dialog.dismiss()))
    // A file, as one drops it.
    const transfer = await page.evaluateHandle((text) => {
      const data = new DataTransfer()
      data.items.add(new File([text], 'templates.json', { type: 'application/json' }))
      return data
    }, portainer)
    for (const event of ['dragenter', 'dragover', 'drop']) await page.dispatchEvent('form.source', event, { dataTransfer: transfer })
    await page.getByRole('button', { name: 'Café <b>proxy</b>' }).waitFor()
    await page.getByText('Non repris').waitFor()
    await page.getByRole('button', { name: 'Cache' }).click()
    await page.getByRole('heading', { name: 'Cache' }).waitFor()
    await shot(page, 'convert-portainer-fr-dark')
    expect(await accessibilityProblems(page)).toEqual([])
    await page.setViewportSize({ width: 400, height: 800 })
    await shot(page, 'convert-portainer-fr-dark-phone')
    expect(dialogs).toEqual([])
  })
})
