import { readFile } from 'node:fs/promises'
import { expect, it, vi } from 'vitest'
import { Core } from '@/domain/core'
import { coreEngine } from '@/domain/core-engine'
import { createDocument } from './document'
import { useWorkflows } from './useWorkflows'

const child = 'windflow: 1\nname: child\ninputs: { n: { type: integer } }\nnodes:\n  a: { uses: wait@1, with: { for: 1s } }\noutputs: { total: { value: 3, type: number } }\n'
const parent = (n: string) =>
  `windflow: 1\nname: parent\nnodes:\n  a: { uses: workflow@1, with: { name: child, inputs: { n: ${n} } } }\n  b: { uses: workflow@1, with: { name: gone } }\noutputs: { sum: "\${{ nodes.a.output.totl }}" }\n`

it('holds a document against the workflows that it runs, each of which is got once', async () => {
  const { instance } = await WebAssembly.instantiate(await readFile('src/core/windflow_browser.wasm'))
  const engine = coreEngine(instance)
  const core = new Core(async (request) => JSON.parse(engine.call(JSON.stringify(request))))
  const get = vi.fn(async (name: string) => {
    if (name !== 'child') throw new Error('there is none')
    return { text: child }
  })
  const document = createDocument(core, parent('many'), '')
  useWorkflows(document, get)
  await document.read()
  const codes = () => document.problems.value.map(({ code }) => code)
  await vi.waitFor(() => expect(codes()).toEqual(['invalid_child_input', 'unknown_output']))
  document.write(parent('3'))
  await document.quiet()
  expect(codes()).toEqual(['unknown_output'])
  expect(get.mock.calls.map(([name]) => name)).toEqual(['child', 'gone'])
})
