import { describe, expect, it } from 'vitest'
import type { Condition, Service } from '../project'
import { graphOf } from './graph'

const service = (depends_on: Record<string, { condition: Condition }> = {}) => ({ depends_on }) as unknown as Service

describe('the drawing of a stack', () => {
  it('puts what is needed left of what needs it', () => {
    const { nodes, links } = graphOf({ services: { web: service({ db: { condition: 'healthy' }, cache: { condition: 'started' } }), db: service(), cache: service(), worker: service({ web: { condition: 'started' } }) } })
    const at = (name: string) => nodes.find((node) => node.name === name)!
    expect(at('db').x).toBe(at('cache').x)
    expect(at('db').y).not.toBe(at('cache').y)
    expect(at('web').x).toBeGreaterThan(at('db').x)
    expect(at('worker').x).toBeGreaterThan(at('web').x)
    expect(links.map(({ from, to, condition }) => `${from} ${condition} ${to}`)).toEqual(['db healthy web', 'cache started web', 'web started worker'])
  })

  it('ends where services wait for each other, or for one that is not there', () => {
    const { nodes, links } = graphOf({ services: { a: service({ b: { condition: 'started' } }), b: service({ a: { condition: 'started' }, gone: { condition: 'started' } }) } })
    expect(nodes).toHaveLength(2)
    expect(links).toHaveLength(2)
  })
})
