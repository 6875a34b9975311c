import { describe, expect, it } from 'vitest'
import type { Run } from '../runs/api'
import { add, failureOf, unseen, wanted, type Notice, type Wishes } from './notices'

const run = (extra: Partial<Run>): Run => ({ run: 'r1', workflow: 'site', document: '', status: 'failed', queued: false, started_by: 'cli', started_at: 5, finished_at: 9, sequence: 1, ...extra }) as Run
const question: Notice = { kind: 'question', run: 'r2', workflow: 'release', at: 3, node: 'ask', why: 'Now?' }
const wishes: Wishes = { failure: true, question: true, seenAt: 0 }

describe('notices', () => {
  it('tell of runs that failed, and why', () => {
    expect(failureOf(run({ error: { node: 'fetch', failure: { kind: 'x', code: 'y', message: 'no answer' } } }))).toEqual({ kind: 'failure', run: 'r1', workflow: 'site', at: 9, why: 'fetch: no answer' })
    expect(failureOf(run({ status: 'succeeded' }))).toBeUndefined()
  })

  it('are there once, the newest first, and not without end', () => {
    const failure = failureOf(run({}))
    const all = add([question], failure, failure)
    expect(all.map(({ run: id }) => id)).toEqual(['r1', 'r2'])
    expect(add([], ...Array.from({ length: 90 }, (_, at) => failureOf(run({ run: `r${at}` }))))).toHaveLength(30)
  })

  it('count as new until they are seen; questions until they are answered', () => {
    const all = add([question], failureOf(run({})))
    expect(unseen(all, wishes)).toBe(2)
    expect(unseen(all, { ...wishes, seenAt: 10 })).toBe(1)
    expect(unseen(all, { ...wishes, question: false, seenAt: 10 })).toBe(0)
    expect(wanted(all, { ...wishes, failure: false })).toEqual([question])
  })
})
