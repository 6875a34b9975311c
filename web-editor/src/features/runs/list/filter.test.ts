import { describe, expect, it } from 'vitest'
import type { Run } from '../api'
import { addressOf, filterOf, fits, isRunId, matches, merge, queryOf, starter, statusOf } from './filter'

const run = (id: string, more: Partial<Run> = {}): Run => ({
  run: id, workflow: 'site-check', document: '', status: 'running', queued: false, started_by: 'user:ada@example.org', started_at: 100, sequence: 1, ...more,
})
const all = { span: 'any' } as const

describe('the filter of runs', () => {
  it('comes out of the address as it went in, and ignores what nobody can mean', () => {
    const filter = { workflow: 'a', status: 'failed', span: 'day' } as const
    expect(filterOf(addressOf(filter, ''))).toEqual(filter)
    expect(filterOf({ status: '<script>', span: 'ages', workflow: ['a'] })).toEqual({ span: 'any' })
  })

  it('asks the same question within a minute', () => {
    expect(queryOf({ span: 'hour' }, 3_661_000).since).toBe(queryOf({ span: 'hour' }, 3_699_000).since)
  })

  it('says in one word how a run stands', () => {
    const stalled = { reason: 'windflow ended', at: 1 }
    expect([run('a'), run('a', { queued: true }), run('a', { stalled }), run('a', { stalled, status: 'failed' })].map(statusOf)).toEqual(['running', 'queued', 'stalled', 'failed'])
  })

  it('counts what is being cancelled among what is running', () => {
    expect(fits(run('a', { status: 'cancelling' }), { status: 'running', span: 'any' }, 0)).toBe(true)
    expect(fits(run('a', { started_at: 0 }), { span: 'hour' }, 4e6)).toBe(false)
  })

  it('finds words in names, people and failures', () => {
    const failed = run('a', { error: { node: 'fetch', failure: { kind: 'node', code: 'http_status', message: 'It answered 503' } } })
    expect(matches(failed, 'fetch 503')).toBe(true)
    expect(matches(failed, 'ada 404')).toBe(false)
    expect(isRunId(' 01a1fdc2-c943-7095-9786-f31b81a49fd8 ')).toBe(true)
    expect(isRunId('site-check')).toBe(false)
  })
})

describe('a list that is live', () => {
  it('puts a new run first and a known one in its place', () => {
    const list = merge([run('a')], run('b', { started_at: 200 }), all, 0)
    expect(list.map((one) => one.run)).toEqual(['b', 'a'])
    const ended = merge(list, run('a', { status: 'succeeded', sequence: 5 }), all, 0)
    expect(ended.map((one) => [one.run, one.status])).toEqual([['b', 'running'], ['a', 'succeeded']])
  })

  it('does not go back behind what is known', () => {
    expect(merge([run('a', { status: 'succeeded', sequence: 5 })], run('a', { sequence: 1 }), all, 0)[0]?.status).toBe('succeeded')
  })

  it('lets go of a run that does not fit any more', () => {
    expect(merge([run('a')], run('a', { status: 'failed', sequence: 4 }), { status: 'running', span: 'any' }, 0)).toEqual([])
  })
})

it('tells what started a run', () => {
  expect(starter('cron:nightly')).toEqual({ icon: 'i-lucide-clock', name: 'nightly' })
  expect(starter('cli')).toMatchObject({ name: 'cli' })
})
