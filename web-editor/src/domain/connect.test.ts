import { describe, expect, it } from 'vitest'
import { refusal, refusals } from './connect'
import type { NodeType } from './node-types'
import type { EdgeView, NodeView, WorkflowView } from './workflow'

const types = new Map([['c@1', { uses: 'c@1', type: { ports: [{ name: 'true' }] }, config: {} } as unknown as NodeType]])
const node = (id: string, extra: Partial<NodeView> = {}): NodeView => ({ id, uses: 'c@1', with: {}, needs: null, join: 'all', disabled: false, from: 0, to: 0, ...extra })
const edge = (from: string, to: string, port: string | null = null): EdgeView => ({ from, to, port, kind: 'needs' })
const workflow: WorkflowView = {
  name: 'w', inputs: {}, triggers: {}, permissions: {}, outputs: {}, notes: {}, layout: {},
  nodes: [node('a'), node('b'), node('c'), node('d'), node('undo'), node('did', { compensate: 'undo' })],
  edges: [edge('a', 'b'), edge('b', 'c', 'true')],
}

describe('an edge is refused', () => {
  it.each([
    ['a', null, 'a', 'itself'],
    ['a', null, 'b', 'there'],
    ['b', 'true', 'c', 'there'],
    ['c', null, 'a', 'circle'],
    ['a', null, 'undo', 'compensates'],
    ['undo', null, 'a', 'compensates'],
    ['a', 'maybe', 'd', 'unknown_port'],
    ['a', 'error', 'd', undefined],
    ['b', 'error', 'c', undefined],
    ['a', 'true', 'd', undefined],
  ])('%s (%s) to %s: %s', (from, port, to, reason) => {
    expect(refusal(workflow, types, { from, port, to })).toBe(reason)
    expect(refusals(workflow, types, from, port).get(to)).toBe(reason)
  })
})
