// The screens that are measured, and what a server needs for them to have something to show.
import type { Windflow } from '../../web-editor/e2e/windflow'
import { release, shop, sleeper } from '../../web-editor/e2e/workflows'

const text = (name: string, count: number) => {
  const nodes = Array.from({ length: count }, (_, at) => `  n${at}: { uses: log@1${at ? `, needs: [n${Math.floor((at - 1) / 3)}]` : ''}, with: { message: "${at}" } }`)
  return `windflow: 1\nname: ${name}\nnodes:\n${nodes.join('\n')}\n`
}

async function ended(server: Windflow, run: string): Promise<void> {
  for (let waited = 0; waited < 20_000; waited += 100) {
    const { status } = (await (await server.api('GET', `/runs/${run}`)).json()) as { status: string }
    if (status === 'succeeded') return
    await new Promise((done) => setTimeout(done, 100))
  }
  throw new Error('The run that is to be looked at did not end.')
}

/** Fills a server as a team would have, and names the screens: what it is called, where it is. */
export async function furnish(server: Windflow): Promise<[name: string, path: string][]> {
  for (const workflow of [text('ten', 10), text('large', 200), release, sleeper]) await server.addWorkflow(workflow)
  for (let count = 0; count < 20; count++) await server.api('POST', '/workflows/ten/runs', {})
  const { run: id } = (await (await server.api('POST', '/workflows/ten/runs', {})).json()) as { run: string }
  await ended(server, id)
  await server.api('PUT', '/secrets/knock_token', { value: 'swordfish-7' })
  await server.api('POST', '/targets', { name: 'edge-1', address: 'tcp://127.0.0.1:1', environment: 'production', groups: ['eu'], tags: ['gpu'] })
  await server.api('POST', '/stacks', { name: 'shop', description: 'A shop', text: shop })
  return [
    ['dashboard', '/dashboard'],
    ['workflows', '/workflows'],
    ['editor, 10 nodes', '/workflows/ten'],
    ['editor, 200 nodes', '/workflows/large'],
    ['runs', '/runs'],
    ['one run', `/runs/${id}`],
    ['triggers', '/triggers'],
    ['credentials', '/credentials'],
    ['plugins', '/plugins'],
    ['marketplace', '/marketplace'],
    ['a template', '/marketplace/templates/wordpress-mysql'],
    ['stacks', '/stacks'],
    ['one stack', '/stacks/shop'],
    ['targets', '/targets'],
    ['deployments', '/deployments'],
    ['settings', '/settings'],
    ['users', '/users'],
  ]
}
