import { describe, expect, it } from 'vitest'
import { latestOf, standing, type Deployment } from './api'
import { hear, noProgress, statusOf } from './progress'

describe('the progress of a deployment', () => {
  it('knows how each container is', () => {
    const progress = noProgress()
    for (const line of ['plan: 2 created', 'volume shop_data created', 'web#1 starting', 'db#1 waiting', 'web#1 healthy']) hear(progress, line, 1)
    expect(progress.lines).toHaveLength(5)
    expect([...progress.containers.values()].map(({ service, doing }) => `${service} ${statusOf(doing)}`)).toEqual(['web healthy', 'db waiting'])
    expect(progress.undoing).toBe(false)
  })

  it('notices that it is undone, and why', () => {
    const progress = noProgress()
    hear(progress, 'web#1 failed: exit status 1: <b>no</b>', 1)
    hear(progress, 'web is unhealthy; what ran before is brought back', 2)
    expect(progress.containers.get('web#1')).toMatchObject({ doing: 'failed', detail: 'exit status 1: <b>no</b>' })
    expect(progress.undoing).toBe(true)
  })

  it('stays bounded', () => {
    const progress = noProgress()
    for (let at = 0; at < 2000; at++) hear(progress, `line ${at}`, at)
    expect(progress.lines).toHaveLength(500)
    expect(progress.lines.at(-1)?.text).toBe('line 1999')
  })
})

describe('a deployment', () => {
  it('is the last of its stack on its target', () => {
    const of = (id: string, stack: string, target: string) => ({ id, stack, target }) as Deployment
    expect(latestOf([of('3', 'shop', 'a'), of('2', 'shop', 'b'), of('1', 'shop', 'a')]).map(({ id }) => id)).toEqual(['3', '2'])
  })

  it.each([
    [{ state: 'running', health: 'healthy' }, 'healthy'],
    [{ state: 'running', health: null }, 'running'],
    [{ state: { exited: 0 }, health: null }, 'completed'],
    [{ state: { exited: 137 }, health: 'unhealthy' }, 'exited'],
    [{ state: 'restarting', health: null }, 'restarting'],
  ] as const)('has containers: %j is %s', (container, is) => expect(standing(container)).toBe(is))
})
