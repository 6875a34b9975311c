import { describe, expect, it } from 'vitest'
import { align, card, distribute, positions, step } from './arrange'
import { layered } from './layered'
import type { EdgeView, NodeView, Position, WorkflowView } from './workflow'

const node = (id: string): NodeView => ({ id, uses: 'log@1', with: {}, needs: null, join: 'all', disabled: false, from: 0, to: 0 })
const edge = (from: string, to: string): EdgeView => ({ from, to, port: null, kind: 'needs' })
const graph = (ids: string[], edges: [string, string][], layout: WorkflowView['layout'] = {}) => ({
  nodes: ids.map(node),
  edges: edges.map(([from, to]) => edge(from, to)),
  layout,
})
const overlap = (places: Iterable<Position>) => {
  const all = [...places]
  return all.some(([x, y], at) => all.slice(at + 1).some(([ox, oy]) => Math.abs(x - ox) < card.width && Math.abs(y - oy) < card.height))
}

describe('positions', () => {
  it('keeps what the file says', () => {
    expect(positions(graph(['a'], [], { a: [7, 9] })).get('a')).toEqual([7, 9])
  })

  it('puts a node behind the last of what it follows', () => {
    const places = positions(graph(['a', 'b', 'c'], [['a', 'b'], ['a', 'c'], ['b', 'c']]))
    expect(places.get('c')?.[0]).toBe(2 * step.x)
  })

  it('puts nothing on top of something else', () => {
    const ids = Array.from({ length: 30 }, (_, at) => `n${at}`)
    const places = positions(graph(['a', ...ids], ids.map((id) => ['a', id]), { n0: [step.x, 0] }))
    expect(places.size).toBe(31)
    expect(overlap(places.values())).toBe(false)
  })

  it('survives a circle, which somebody is about to mend', () => {
    expect(positions(graph(['a', 'b'], [['a', 'b'], ['b', 'a']])).size).toBe(2)
  })
})

describe('align and distribute', () => {
  const chosen = new Map<string, Position>([['a', [0, 0]], ['b', [100, 40]], ['c', [400, 80]]])
  it('line up and spread', () => {
    expect(align(chosen, 'top')).toEqual({ a: [0, 0], b: [100, 0], c: [400, 0] })
    expect(align(chosen, 'right')).toEqual({ a: [400, 0], b: [400, 40], c: [400, 80] })
    expect(distribute(chosen, 0)).toEqual({ a: [0, 0], b: [200, 40], c: [400, 80] })
  })
})

describe('layered', () => {
  it('tidies up from left to right, without overlaps', async () => {
    const places = await layered(graph(['a', 'b', 'c', 'd'], [['a', 'b'], ['a', 'c'], ['b', 'd'], ['c', 'd']]), () => ['out'])
    expect(places.a?.[0]).toBe(0)
    expect(places.d?.[0]).toBe(2 * (places.b?.[0] ?? 0))
    expect(overlap(Object.values(places))).toBe(false)
  })

  it('puts what follows a failure below, and leaves room for names of ports', async () => {
    const { nodes, edges } = graph(['a', 'b', 'sorry'], [['a', 'b']])
    const places = await layered({ nodes, edges: [...edges, { from: 'a', port: 'error', to: 'sorry', kind: 'needs' }] }, ({ id }) => (id === 'a' ? ['true', 'false'] : ['out']))
    expect(places.sorry?.[1]).toBeGreaterThan(places.b?.[1] ?? 0)
    expect(places.b?.[0]).toBeGreaterThan(card.width + 100)
  })
})
