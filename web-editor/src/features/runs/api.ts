import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { api, unwrap, type Schemas } from '@/api/client'
import type { Failure, Question, RunStatus } from '@/domain/run-live'
import type { Json } from '@/domain/workflow'
import { queryOf, type RunFilter } from './list/filter'

export interface RunFailure {
  node?: string
  failure: Failure
}
/** A run as lists show it, with the parts that the OpenAPI document leaves open. */
export interface Run extends Omit<Schemas['RunView'], 'status' | 'error'> {
  status: RunStatus
  error?: RunFailure | null
}
export interface AskedQuestion extends Question {
  item?: number
  /** Whoever knows it may answer; only there for those who may answer anyway. */
  token?: string
}
export interface NodeReport {
  status: string
  attempts: number
  output: Json
  error: Failure | null
  port?: string
  took_ms: number
  items?: { total: number; settled: number; failed: number }
  questions?: AskedQuestion[]
}
export interface RunReport extends Run {
  inputs: Json
  outputs: Json
  nodes: Record<string, NodeReport>
}
export type NodeFate = Schemas['NodeFate']

export const runsKey = ['runs'] as const
const pageSize = 50

/** The runs that fit, page by page, the newest first. */
export const useRunPages = (filter: MaybeRefOrGetter<RunFilter>) =>
  useInfiniteQuery({
    queryKey: computed(() => [...runsKey, 'list', toValue(filter)]),
    queryFn: ({ pageParam }) =>
      unwrap(api.GET('/api/v1/runs', { params: { query: { ...queryOf(toValue(filter), Date.now()), limit: pageSize, cursor: pageParam } } })) as Promise<{
        items: Run[]
        next?: string | null
      }>,
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  })

export const runKey = (run: string) => [...runsKey, 'one', run]
export const useRun = (run: MaybeRefOrGetter<string>) =>
  useQuery({
    queryKey: computed(() => runKey(toValue(run))),
    queryFn: () => unwrap(api.GET('/api/v1/runs/{run}', { params: { path: { run: toValue(run) } } })) as Promise<RunReport>,
  })

/** What somebody can do to a run. Each reads it anew afterwards. */
export function useRunActions(run: MaybeRefOrGetter<string>) {
  const queries = useQueryClient()
  const params = () => ({ params: { path: { run: toValue(run) } } })
  const onSettled = () => queries.invalidateQueries({ queryKey: runsKey })
  return {
    cancel: useMutation({ mutationFn: () => unwrap(api.POST('/api/v1/runs/{run}/cancel', params())), onSettled }),
    resume: useMutation({ mutationFn: () => unwrap(api.POST('/api/v1/runs/{run}/resume', params())), onSettled }),
    answer: useMutation({
      mutationFn: (body: Schemas['GiveAnswer']) => unwrap(api.POST('/api/v1/runs/{run}/answers', { ...params(), body })),
      onSettled,
    }),
    rerun: useMutation({
      mutationFn: (body: { from: string[]; latest: boolean }) => unwrap(api.POST('/api/v1/runs/{run}/rerun', { ...params(), body })) as Promise<Schemas['StartedRun']>,
      onSettled,
    }),
  }
}

/** What a re-run would take over, without starting it. */
export const useRerunVerdict = (run: MaybeRefOrGetter<string>, body: MaybeRefOrGetter<{ from: string[]; latest: boolean } | undefined>) =>
  useQuery({
    queryKey: computed(() => [...runsKey, 'verdict', toValue(run), toValue(body)]),
    enabled: computed(() => toValue(body) !== undefined),
    queryFn: () =>
      unwrap(
        api.POST('/api/v1/runs/{run}/rerun', { params: { path: { run: toValue(run) } }, body: { ...toValue(body), dry_run: true } }),
      ) as Promise<Schemas['RerunVerdict']>,
    staleTime: 0,
  })
