import { describe, expect, it } from 'vitest'
import { noRun, takeIn, type RunLive } from '@/domain/run-live'
import { rowsOf, scaleOf, ticksOf } from './timeline'

const failure = { kind: 'node', code: 'connection', message: 'refused' }
function play(...events: [at: number, event: object][]): RunLive {
  const run = noRun()
  events.forEach(([at, event], index) => takeIn(run, 'event', { sequence: index + 1, at, event }))
  return run
}

describe('the timeline of a run', () => {
  it('draws attempts and the pauses between them where they were', () => {
    const run = play(
      [1000, { run_started: { inputs: {} } }],
      [1100, { attempt_started: { node: 'fetch', attempt: 1 } }],
      [1300, { attempt_failed: { node: 'fetch', attempt: 1, failure, retry_at: 1700, took_us: 200_000 } }],
      [1700, { attempt_started: { node: 'fetch', attempt: 2 } }],
      [1800, { attempt_succeeded: { node: 'fetch', attempt: 2, port: 'out', output: 1, took_us: 100_000 } }],
    )
    const [row] = rowsOf(run, ['fetch'], 9000)
    expect(row?.bars.map(({ kind, from, to }) => [kind, from, to])).toEqual([
      ['failed', 100, 300],
      ['pause', 300, 700],
      ['succeeded', 700, 800],
    ])
    expect(row?.lanes).toBe(1)
  })

  it('reckons back when a node began that tells only how it ended', () => {
    const run = play([1000, { run_started: { inputs: {} } }], [1500, { attempt_succeeded: { node: 'a', attempt: 1, port: 'out', output: 1, took_us: 300_000 } }])
    expect(rowsOf(run, ['a'], 9000)[0]?.bars[0]).toMatchObject({ from: 200, to: 500 })
  })

  it('draws items that overlap below each other', () => {
    const run = play(
      [0, { run_started: { inputs: {} } }],
      [0, { items_listed: { node: 'each', items: [1, 2, 3] } }],
      [100, { attempt_succeeded: { node: 'each', item: 0, attempt: 1, port: 'out', output: 1, took_us: 100_000 } }],
      [100, { attempt_succeeded: { node: 'each', item: 1, attempt: 1, port: 'out', output: 1, took_us: 100_000 } }],
      [200, { attempt_succeeded: { node: 'each', item: 2, attempt: 1, port: 'out', output: 1, took_us: 100_000 } }],
    )
    const [row] = rowsOf(run, ['each'], 200)
    expect(row?.bars.map(({ lane }) => lane)).toEqual([0, 1, 0])
    expect(row?.lanes).toBe(2)
  })

  it('lets what is under way reach to now, and a node that never ran stay empty', () => {
    const run = play([0, { run_started: { inputs: {} } }], [10, { attempt_started: { node: 'a', attempt: 1 } }])
    expect(rowsOf(run, ['a', 'b'], 500).map(({ bars }) => bars.map(({ to }) => to))).toEqual([[500], []])
  })

  it('cuts long waits out on request, and stays in order', () => {
    const run = play(
      [0, { run_started: { inputs: {} } }],
      [100, { attempt_succeeded: { node: 'a', attempt: 1, port: 'out', output: 1, took_us: 100_000 } }],
      [100, { attempt_started: { node: 'ask', attempt: 1, wait: { answer: { of: 'person' } } } }],
      [100_000, { attempt_succeeded: { node: 'ask', attempt: 1, port: 'approved', output: {}, took_us: 1 } }],
      [100_100, { attempt_succeeded: { node: 'b', attempt: 1, port: 'out', output: 1, took_us: 100_000 } }],
    )
    const rows = rowsOf(run, ['a', 'ask', 'b'], 0)
    expect(scaleOf(rows, 100_100, false).place(100)).toBeCloseTo(0.001, 3)
    const cut = scaleOf(rows, 100_100, true)
    expect(cut.cuts).toEqual([{ from: 100, to: 100_000 }])
    expect(cut.place(100)).toBeCloseTo(0.47)
    expect(cut.place(100_000)).toBeCloseTo(0.53)
    expect(cut.place(100_100)).toBeCloseTo(1)
    expect(cut.ticks).toEqual([0, 100, 100_000, 100_100])
  })

  it('marks round times', () => {
    expect(ticksOf(4200)).toEqual([0, 1000, 2000, 3000, 4000])
    expect(ticksOf(0)).toEqual([0])
    expect(ticksOf(20 * 864e5).length).toBeLessThan(9)
  })
})
