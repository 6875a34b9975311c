import { describe, expect, it } from 'vitest'
import { latestOf, standing, type Deployment } from './api'
import { hear, noProgress, read, statusOf } from './progress'

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

  it('is whole for whoever comes late', () => {
    const lines = ['plan: 2 created', 'fetching nginx:1', 'web#1 healthy'].map((message) => ({ message }))
    const late = noProgress()
    hear(late, 'web#1 healthy', 7, 1)
    read(late, 1, { lines })
    expect(late.lines.map(({ at, text }) => [at, text])).toEqual([[undefined, 'plan: 2 created'], [undefined, 'fetching nginx:1'], [7, 'web#1 healthy']])
    // Once more changes nothing, and so does what was heard from its beginning.
    read(late, 1, { lines })
    expect(late.lines).toHaveLength(3)
    const early = noProgress()
    lines.forEach(({ message }, at) => hear(early, message, at, 1))
    read(early, 1, { lines: lines.slice(1), left_out: 1 })
    expect(early.lines.map(({ at }) => at)).toEqual([0, 1, 2])
    // The attempt after one that was cut off is told after it.
    read(late, 2, { lines: [{ message: 'web#1 running' }] })
    expect(late.lines.map(({ text }) => text).slice(2)).toEqual(['web#1 healthy', 'web#1 running'])
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
