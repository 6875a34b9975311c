import { describe, expect, it } from 'vitest'
import { noRun, takeIn, type RunLive } from './run-live'

const play = (...events: object[]): RunLive => {
  const run = noRun()
  events.forEach((event, at) => takeIn(run, 'event', { sequence: at + 1, at: 1000 + at, event }))
  return run
}
const failure = { kind: 'plugin', code: 'refused', message: 'no' }

describe('a run as its events tell it', () => {
  it('follows a node through its attempts', () => {
    const run = play(
      { run_started: { inputs: { a: 1 } } },
      { attempt_started: { node: 'fetch', attempt: 1, key: 'k' } },
      { attempt_failed: { node: 'fetch', attempt: 1, failure, retry_at: 5, took_us: 2000 } },
    )
    expect(run.nodes.fetch).toMatchObject({ status: 'retrying', tookMs: 2 })
    takeIn(run, 'event', { sequence: 4, at: 2000, event: { attempt_succeeded: { node: 'fetch', attempt: 2, port: 'out', output: 7, took_us: 1000 } } })
    expect(run.nodes.fetch).toMatchObject({ status: 'succeeded', output: 7, tookMs: 3 })
    expect(run.nodes.fetch?.attempts.map(({ status }) => status)).toEqual(['failed', 'succeeded'])
  })

  it('takes nothing in twice when a stream is taken up again', () => {
    const run = play({ run_started: { inputs: {} } }, { attempt_succeeded: { node: 'a', attempt: 1, port: 'out', output: 1, took_us: 1000 } })
    takeIn(run, 'event', { sequence: 2, at: 9, event: { attempt_succeeded: { node: 'a', attempt: 1, port: 'out', output: 1, took_us: 1000 } } })
    expect(run.nodes.a?.tookMs).toBe(1)
  })

  it('gathers the outputs of items in their order', () => {
    const run = play(
      { items_listed: { node: 'each', items: ['x', 'y'] } },
      { attempt_succeeded: { node: 'each', item: 1, attempt: 1, port: 'out', output: 'Y', took_us: 1 } },
      { attempt_succeeded: { node: 'each', item: 0, attempt: 1, port: 'out', output: 'X', took_us: 1 } },
    )
    expect(run.nodes.each).toMatchObject({ status: 'succeeded', output: ['X', 'Y'] })
  })

  it('shows a question until it is answered', () => {
    const run = play({ attempt_started: { node: 'ask', attempt: 1, key: 'k', wait: { answer: { of: 'person', message: 'Go?' } } } })
    expect(run.nodes.ask).toMatchObject({ status: 'waiting', question: { message: 'Go?' } })
    takeIn(run, 'event', { sequence: 2, at: 2, event: { attempt_succeeded: { node: 'ask', attempt: 1, port: 'approved', output: {}, took_us: 1 } } })
    expect(run.nodes.ask?.question).toBeUndefined()
  })

  it('reads in the journal what was not heard live', () => {
    const line = (message: string) => ({ level: 'info', message })
    const ended = (node: string, ...lines: string[]) => ({ attempt_succeeded: { node, attempt: 1, port: 'out', output: 1, took_us: 1, log: { lines: lines.map(line) } } })
    const messages = (run: RunLive) => run.logs.map(({ node, message }) => `${node}: ${message}`)
    expect(messages(play(ended('a', 'one', 'two'), ended('b', 'three')))).toEqual(['a: one', 'a: two', 'b: three'])
    const run = noRun()
    for (const message of ['one', 'two']) takeIn(run, 'log', { node: 'a', attempt: 1, ...line(message) })
    takeIn(run, 'log', { node: 'b', attempt: 1, ...line('late') })
    takeIn(run, 'event', { sequence: 1, at: 1, event: ended('a', 'one', 'two') })
    // Whoever came in the middle has missed the beginning.
    takeIn(run, 'event', { sequence: 2, at: 2, event: ended('b', 'early', 'late') })
    expect(messages(run)).toEqual(['a: one', 'a: two', 'b: early', 'b: late'])
    const items = play(
      { attempt_failed: { node: 'c', item: 0, attempt: 1, failure, took_us: 1, log: { lines: [line('x')], left_out: 3 } } },
      { attempt_succeeded: { node: 'c', item: 1, attempt: 1, port: 'out', output: 1, took_us: 1, log: { lines: [line('y')] } } },
    )
    expect(messages(items)).toEqual(['c: ⋯ +3', 'c: x', 'c: y'])
  })

  it('keeps the last lines of a log', () => {
    const run = noRun()
    for (let line = 0; line < 2500; line++) takeIn(run, 'log', { node: 'a', attempt: 1, level: 'info', message: String(line) })
    expect(run.logs).toHaveLength(2000)
    expect(run.logs.at(-1)?.message).toBe('2499')
  })
})
