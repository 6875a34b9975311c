import { describe, expect, it } from 'vitest'
import type { NodeType } from '@/domain/node-types'
import type { NodeView, WorkflowView } from '@/domain/workflow'
import { noteOf } from './notes'
import { draw, edgeId, portOfHandle, startId, type CardData } from './mapping'

const type = (uses: string, extra: Partial<NodeType['type']> = {}): [string, NodeType] => [
  uses,
  { uses, plugin: {}, component: '', pure: true, capabilities: {}, type: { title: { en: uses }, description: {}, category: 'logic', ...extra }, config: { required: ['url'] }, reach: { en: '', fr: '' } } as NodeType,
]
const types = new Map([type('http@1'), type('condition@1', { ports: [{ name: 'true' }, { name: 'false' }] }), type('switch@1', { ports: [{ name: 'default' }], ports_from: 'cases' })])
const node = (id: string, uses: string, extra: Partial<NodeView> = {}): NodeView => ({ id, uses, with: {}, needs: null, join: 'all', disabled: false, from: 0, to: 0, ...extra })
const workflow = (extra: Partial<WorkflowView>): WorkflowView => ({ name: 'w', inputs: {}, triggers: {}, permissions: {}, outputs: {}, nodes: [], edges: [], notes: {}, layout: {}, ...extra })
const drawn = (extra: Partial<WorkflowView>) => draw(workflow(extra), types, 'en', [])
const cardOf = (result: ReturnType<typeof draw>, id: string) => result.nodes.find((one) => one.id === id)?.data as CardData

describe('draw', () => {
  it('attaches an edge to the port that it names, and a success to the only port', () => {
    const { edges } = drawn({
      nodes: [node('c', 'condition@1'), node('h', 'http@1'), node('x', 'http@1')],
      edges: [
        { from: 'c', port: 'false', to: 'x', kind: 'needs' },
        { from: 'h', port: null, to: 'x', kind: 'needs' },
        { from: 'h', port: 'error', to: 'x', kind: 'needs' },
      ],
    })
    expect(edges.filter(({ target }) => target === 'x').map(({ source, sourceHandle }) => [source, sourceHandle])).toEqual([
      ['c', 'false'],
      ['h', 'out'],
      ['h', 'error'],
    ])
  })

  it('takes ports from the configuration, and grows with them', () => {
    const card = cardOf(drawn({ nodes: [node('s', 'switch@1', { with: { cases: { a: 1, b: 2, c: 3 } } })] }), 's')
    expect(card.ports).toEqual(['a', 'b', 'c', 'default'])
    expect(card.height).toBe(100)
  })

  it('draws a port that does not exist where an edge names it', () => {
    const card = cardOf(drawn({ nodes: [node('c', 'condition@1'), node('x', 'http@1')], edges: [{ from: 'c', port: 'maybe', to: 'x', kind: 'needs' }] }), 'c')
    expect(card.ports).toEqual(['true', 'false', 'maybe'])
  })

  it('leads from the start to what nothing leads to, and not to what undoes', () => {
    const { edges } = drawn({
      nodes: [node('a', 'http@1', { compensate: 'u' }), node('b', 'http@1'), node('u', 'http@1')],
      edges: [{ from: 'a', port: null, to: 'b', kind: 'reference' }],
    })
    expect(edges.filter(({ source }) => source === startId).map(({ target }) => target)).toEqual(['a'])
    expect(edges.some(({ id }) => id === 'a~u')).toBe(true)
  })

  it('counts the problems of a node on its card', () => {
    const problem = { code: 'x', message: 'no url', from: 0, to: 0, line: 1, column: 1, node: 'a' }
    const result = draw(workflow({ nodes: [node('a', 'http@1')] }), types, 'en', [
      { ...problem, severity: 'error' },
      { ...problem, severity: 'warning' },
      { ...problem, severity: 'error', node: 'b' },
    ])
    expect(cardOf(result, 'a')).toMatchObject({ errors: 1, warnings: 1, problem: { message: 'no url' } })
  })

  it('says what a node does in a few characters', () => {
    const card = cardOf(drawn({ nodes: [node('a', 'http@1', { with: { method: 'POST', url: '${{ inputs.url }}' } })] }), 'a')
    expect(card.summary).toBe('POST inputs.url')
    // `.` says nothing to anybody.
    expect(cardOf(drawn({ nodes: [node('a', 'http@1', { with: { jq: '.', note: 'orders' } })] }), 'a').summary).toBe('orders')
  })

  it('draws notes below the nodes, under names of their own', () => {
    const { nodes } = drawn({ nodes: [node('a', 'http@1')], notes: { a: { text: '## Why\nso', at: [8, -80], size: [240, 160], color: 'blue' } } })
    const note = nodes.find(({ id }) => id === 'note:a')
    expect(note).toMatchObject({ type: 'note', position: { x: 8, y: -80 }, ariaLabel: 'Why', data: { note: 'a', colour: 'blue' } })
    expect(noteOf('note:a')).toBe('a')
    expect(noteOf('a')).toBeUndefined()
  })

  it('stays quick with 500 nodes', () => {
    const nodes = Array.from({ length: 500 }, (_, at) => node(`n${at}`, 'http@1'))
    const edges = nodes.slice(1).map(({ id }, at) => ({ from: `n${Math.floor(at / 2)}`, port: null, to: id, kind: 'needs' as const }))
    const before = performance.now()
    expect(draw(workflow({ nodes, edges }), types, 'en', []).nodes).toHaveLength(501)
    expect(performance.now() - before).toBeLessThan(500)
  })
})

describe('ports', () => {
  it('have no name where there is only one', () => {
    expect(portOfHandle('out', ['out'])).toBeUndefined()
    expect(portOfHandle('true', ['true', 'false'])).toBe('true')
    expect(portOfHandle('error', ['out'])).toBe('error')
  })

  it('make edges that are told apart', () => {
    expect(edgeId('a', null, 'b')).not.toBe(edgeId('a', 'error', 'b'))
  })
})
