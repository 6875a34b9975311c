import { readFile } from 'node:fs/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { Core, EditRefused } from './core'
import { coreEngine } from './core-engine'

/** The real one: windflow-core as the browser runs it. */
let core: Core
const nodeTypes = [
  {
    uses: 'log@1', plugin: { name: 'log', version: '1.0.0', description: { en: 'Logs.' }, license: 'Apache-2.0' }, component: `sha256:${'0'.repeat(64)}`, pure: true, capabilities: {},
    type: { title: { en: 'Log' }, description: { en: 'Writes a line.' }, category: 'other', icon: 'lucide:scroll-text' },
    config: { type: 'object', properties: { message: {} }, required: ['message'], additionalProperties: false },
  },
]
const text = `windflow: 1
name: hello # the name

nodes:
  first:
    uses: log@1 # stays
    with: { message: Hello }
`

beforeAll(async () => {
  const { instance } = await WebAssembly.instantiate(await readFile('src/core/windflow_browser.wasm'))
  const engine = coreEngine(instance)
  core = new Core(async (request) => JSON.parse(engine.call(JSON.stringify(request))))
  await core.install(nodeTypes)
})

describe('windflow-core in the browser', () => {
  it('reads a workflow, with places in UTF-16', async () => {
    const { workflow, problems } = await core.read(text.replace('Hello', '"👋 ${{ nodes.nobody.output }}"'))
    expect(workflow?.nodes.map(({ id }) => id)).toEqual(['first'])
    const [problem] = problems
    expect(problem?.severity).toBe('error')
    expect(text.replace('Hello', '"👋 ${{ nodes.nobody.output }}"').slice(problem?.from, problem?.to)).toContain('nobody')
  })

  it('draws with the smallest change; comments survive', async () => {
    const added = await core.edit(text, [{ add_node: { uses: 'log@1', needs: ['first'], with: { message: 'Bye' }, at: [240, 0] } }])
    expect(added.added).toEqual(['log'])
    expect(added.text).toContain('uses: log@1 # stays')
    expect((await core.read(added.text)).workflow?.edges).toEqual([{ from: 'first', port: null, to: 'log', kind: 'needs' }])
    const back = await core.edit(added.text, [{ remove_nodes: { ids: ['log'] } }])
    expect((await core.read(back.text)).workflow?.nodes).toHaveLength(1)
  })

  it('refuses a circle, and says why', async () => {
    const { text: two } = await core.edit(text, [{ add_node: { uses: 'log@1', needs: ['first'] } }])
    await expect(core.edit(two, [{ connect: { from: 'log', to: 'first' } }])).rejects.toThrow(EditRefused)
  })

  it('copies nodes as text that can be pasted', async () => {
    const yaml = await core.copy(text, ['first'])
    const { added } = await core.edit(text, [{ paste: { yaml, at: [0, 100] } }])
    expect(added).toEqual(['first_2'])
  })

  it('shows what an expression would give', async () => {
    const scope = { inputs: { n: 2 }, nodes: {}, input: null }
    expect(await core.preview('${{ inputs.n + 1 }}', scope)).toEqual({ value: 3 })
    expect(await core.preview('${{ inputs.n + }}', scope)).toHaveProperty('error.message')
  })
})
