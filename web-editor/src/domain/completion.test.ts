import { describe, expect, it } from 'vitest'
import { expressionBefore, inputOf, suggest, type ExpressionScope } from './completion'
import type { NodeType } from './node-types'
import { noRun } from './run-live'

const node = (id: string) => ({ id, uses: 'http@1', with: {}, needs: null, join: 'all' as const, disabled: false, from: 0, to: 0 })
const run = noRun()
run.inputs = { order: { id: 7 } }
run.nodes.fetch = { status: 'succeeded', attempts: [], tookMs: 1, output: { status: 200, body: { items: [{ sku: 'a' }] } } }
const scope: ExpressionScope = {
  node: 'last',
  run,
  types: new Map([['http@1', { output: { properties: { url: { type: 'string' } } } } as unknown as NodeType]]),
  workflow: {
    name: 'w', triggers: {}, permissions: {}, outputs: {}, notes: {}, layout: {}, inputs: { order: { type: 'object' } },
    nodes: [node('fetch'), node('other'), node('last')],
    edges: [{ from: 'fetch', to: 'last', port: null, kind: 'needs' }],
  },
}
const labels = (before: string) => suggest(before, scope).suggestions.map(({ label }) => label)

describe('completion', () => {
  it('knows where an expression is', () => {
    expect(expressionBefore('Hi ${{ inputs.')).toBe(' inputs.')
    expect(expressionBefore('Hi ${{ inputs.x }} and')).toBeUndefined()
  })
  it('offers what there is, and counts what is written', () => {
    expect(labels(' ')).toEqual(['inputs', 'nodes', 'input', 'run'])
    expect(suggest('size(nodes.fe', scope)).toMatchObject({ typed: 2, suggestions: [{ label: 'fetch', boost: 1 }, { label: 'other', boost: 0 }] })
  })
  it('offers what came out in the last run, at any depth', () => {
    expect(labels('nodes.fetch.output.')).toEqual(['status', 'body'])
    expect(labels('nodes.fetch.output.body.items[0].')).toEqual(['sku'])
    expect(labels('inputs.order.')).toEqual(['id'])
  })
  it('offers what the schema promises where nothing ran', () => expect(labels('nodes.other.output.')).toEqual(['url']))
  it('knows what came in', () => {
    expect(labels('input.')).toEqual(['status', 'body'])
    expect(inputOf({ ...scope, node: 'fetch' })).toEqual({ order: { id: 7 } })
  })
})
