import { describe, expect, it } from 'vitest'
import { draw, roundUp, successRate, windowOf, type Stretch } from './chart'

const stretch = (more: Partial<Stretch> = {}): Stretch => ({ since: 0, succeeded: 0, failed: 0, cancelled: 0, running: 0, ...more })

describe('the chart of runs', () => {
  it('stacks what happened to scale, failures at the ground', () => {
    const { columns, marks } = draw([stretch({ succeeded: 6, failed: 2 }), stretch()], 200, 100)
    expect(columns[0]?.blocks.map(({ outcome, y, height }) => [outcome, y, height])).toEqual([
      ['failed', 80, 20],
      ['succeeded', 20, 60],
    ])
    expect(columns[1]?.blocks).toEqual([])
    expect(marks.map(({ value }) => value)).toEqual([0, 5, 10])
  })

  it('shows one failure among thousands, and stays within its room', () => {
    const { columns } = draw([stretch({ succeeded: 9999, failed: 1 })], 100, 80)
    expect(columns[0]?.blocks[0]).toMatchObject({ outcome: 'failed', height: 2 })
    for (const { y } of columns[0]?.blocks ?? []) expect(y).toBeGreaterThanOrEqual(0)
  })

  it('writes round numbers', () => {
    expect([0, 1, 3, 7, 11, 480].map(roundUp)).toEqual([1, 1, 5, 10, 20, 500])
    expect(draw([], 100, 80).marks.map(({ value }) => value)).toEqual([0, 1])
  })

  it('asks for whole stretches, the one under way included', () => {
    const { since, until, step } = windowOf('day', 36e5 * 10.5)
    expect([until, (until - since) / step]).toEqual([36e5 * 11, 24])
  })

  it('knows no rate where nothing ended', () => {
    expect(successRate(stretch({ running: 3, cancelled: 2 }))).toBeUndefined()
    expect(successRate(stretch({ succeeded: 3, failed: 1 }))).toBe(0.75)
  })
})
