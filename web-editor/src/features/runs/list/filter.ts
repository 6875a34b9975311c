import { hasEnded, type RunStatus } from '@/domain/run-live'
import type { Run } from '../api'

export const statuses = ['running', 'succeeded', 'failed', 'cancelled'] as const
export const spans = ['any', 'hour', 'day', 'week', 'month'] as const
export type Span = (typeof spans)[number]

/** Which runs are shown. It lives in the address, so that it can be shared and survives a reload. */
export interface RunFilter {
  workflow?: string
  status?: RunStatus
  span: Span
}

const lengths: Record<Exclude<Span, 'any'>, number> = { hour: 36e5, day: 864e5, week: 7 * 864e5, month: 30 * 864e5 }
export const sinceOf = (span: Span, now: number): number | undefined => (span === 'any' ? undefined : now - lengths[span])

const oneOf = <T extends string>(known: readonly T[], value: unknown): T | undefined => known.find((one) => one === value)

export function filterOf(query: Record<string, unknown>): RunFilter {
  const status = oneOf(statuses, query.status)
  return {
    ...(typeof query.workflow === 'string' && query.workflow && { workflow: query.workflow }),
    ...(status && { status }),
    span: oneOf(spans, query.span) ?? 'any',
  }
}

export const addressOf = (filter: RunFilter, text: string): Record<string, string> => ({
  ...(filter.workflow && { workflow: filter.workflow }),
  ...(filter.status && { status: filter.status }),
  ...(filter.span !== 'any' && { span: filter.span }),
  ...(text && { text }),
})

/** What the server is asked for. The moment is a whole minute, so that the same question is asked again. */
export const queryOf = (filter: RunFilter, now: number) => ({
  workflow: filter.workflow,
  status: filter.status,
  since: sinceOf(filter.span, Math.floor(now / 60_000) * 60_000),
})

/** How a run stands, in one word: one that waits for its turn, or that nobody is at work on, says so. */
export const statusOf = (run: Pick<Run, 'queued' | 'status' | 'stalled'>): string =>
  run.queued ? 'queued' : run.stalled && !hasEnded(run.status) ? 'stalled' : run.status

/** Whether a run belongs to a list that is filtered so. */
export function fits(run: Run, filter: RunFilter, now: number): boolean {
  const since = sinceOf(filter.span, now)
  return (
    (!filter.workflow || run.workflow === filter.workflow) &&
    (!filter.status || run.status === filter.status || (filter.status === 'running' && run.status === 'cancelling')) &&
    (since === undefined || run.started_at >= since)
  )
}

/** Every word of a search has to be somewhere in what a row shows. */
export function matches(run: Run, text: string): boolean {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const shown = [run.run, run.workflow, run.started_by, run.error?.node, run.error?.failure.code, run.error?.failure.message].join(' ').toLowerCase()
  return words.every((word) => shown.includes(word))
}

/** An id of a run, as somebody pastes it into the search. */
export const isRunId = (text: string): boolean => /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text.trim())

/**
 * A list with what was heard of one run: in its place where it is known, out where it does not fit any more, first where it is new.
 * An end is final: what was said before it and comes later changes nothing.
 */
export function merge(runs: readonly Run[], heard: Run, filter: RunFilter, now: number): Run[] {
  const at = runs.findIndex(({ run }) => run === heard.run)
  const known = runs[at]
  if (known && known.sequence > heard.sequence) return [...runs]
  if (!fits(heard, filter, now)) return runs.filter(({ run }) => run !== heard.run)
  if (known) return runs.map((one) => (one.run === heard.run ? heard : one))
  const place = runs.findIndex(({ started_at }) => started_at <= heard.started_at)
  return place < 0 ? [...runs, heard] : runs.toSpliced(place, 0, heard)
}

/** `user:ada@example.org` is a person, `cron:nightly` a schedule: an icon and a name. */
export function starter(by: string): { icon: string; name: string } {
  const [, kind, name] = /^(\w+):(.*)$/.exec(by) ?? [undefined, by, by]
  const icons: Record<string, string> = { user: 'i-lucide-user', key: 'i-lucide-terminal', webhook: 'i-lucide-webhook', cron: 'i-lucide-clock', run: 'i-lucide-corner-down-right', cli: 'i-lucide-terminal' }
  return { icon: icons[kind ?? ''] ?? 'i-lucide-circle-play', name: name ?? by }
}
