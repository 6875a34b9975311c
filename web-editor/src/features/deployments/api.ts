import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { api, everyPage, unwrap, type Schemas } from '@/api/client'
import type { Plan } from '../stacks/api'

/** A deployment, with the parts that the OpenAPI document leaves open. */
export interface Deployment extends Omit<Schemas['DeploymentView'], 'plan' | 'error' | 'status'> {
  status: Status
  plan: Plan | null
  error: { code: string; message: string; remedy?: string } | null
}
export const statuses = ['running', 'deployed', 'unchanged', 'rolled_back', 'failed', 'abandoned'] as const
export type Status = (typeof statuses)[number]
export const isGood = (status: Status): boolean => status === 'deployed' || status === 'unchanged'
export type LogLine = Schemas['LineView']

type State = 'created' | 'running' | 'restarting' | 'paused' | 'dead' | { exited: number }
export interface Container {
  name: string
  service: string
  number: number
  image: string
  state: State
  health: 'starting' | 'healthy' | 'unhealthy' | null
  deployment: string
  /** Kept aside while its successor is tried. */
  retired: boolean
  ports: string[]
}
/** What there is of a stack on a target at this moment. */
export interface Observed {
  containers: Container[]
  networks: Record<string, unknown>
  volumes: Record<string, unknown>
}

/** How a container is, in one word of `StatusTag`. */
export const standing = ({ state, health }: Pick<Container, 'state' | 'health'>): string =>
  typeof state === 'object' ? (state.exited === 0 ? 'completed' : 'exited') : state === 'running' ? (health ?? 'running') : state

export const deploymentsKey = ['deployments'] as const
export interface Filter {
  stack?: string
  target?: string
}

/** Deployments, the newest first. The server tells the oldest first, so that all have to be read to know the last. */
export const useDeployments = (filter: MaybeRefOrGetter<Filter>) =>
  useQuery({
    queryKey: computed(() => [...deploymentsKey, 'list', toValue(filter)]),
    queryFn: async () => {
      const found = await everyPage((cursor) => unwrap(api.GET('/api/v1/deployments', { params: { query: { ...toValue(filter), limit: 500, cursor } } })), 20_000)
      return (found as unknown as Deployment[]).reverse()
    },
    // Whoever deploys elsewhere is seen here, too.
    refetchInterval: (query) => (query.state.data?.some(({ status }) => status === 'running') ? 2_000 : 20_000),
  })

/** The last deployment of each stack to each target, of a list with the newest first. */
export function latestOf(deployments: readonly Deployment[]): Deployment[] {
  const seen = new Set<string>()
  return deployments.filter(({ stack, target }) => !seen.has(`${stack}\n${target}`) && seen.add(`${stack}\n${target}`))
}

const one = (deployment: string) => ({ params: { path: { deployment } } })
export const useDeployment = (id: MaybeRefOrGetter<string>) =>
  useQuery({
    queryKey: computed(() => [...deploymentsKey, 'one', toValue(id)]),
    queryFn: () => unwrap(api.GET('/api/v1/deployments/{deployment}', one(toValue(id)))) as unknown as Promise<Deployment>,
    // The stream of its run says when it ends; this is for a stream that is lost.
    refetchInterval: (query) => (query.state.data?.status === 'running' ? 3_000 : false),
  })

/** What was said of its variables otherwise than their defaults; never a password. */
export const readVariables = (id: string): Promise<Record<string, string>> => unwrap(api.GET('/api/v1/deployments/{deployment}/variables', one(id)))

/** The containers of its stack, asked for again as long as somebody looks. */
export const useObserved = (id: MaybeRefOrGetter<string>, enabled: MaybeRefOrGetter<boolean>) =>
  useQuery({
    queryKey: computed(() => [...deploymentsKey, 'observed', toValue(id)]),
    enabled: computed(() => toValue(enabled)),
    queryFn: () => unwrap(api.GET('/api/v1/deployments/{deployment}/status', one(toValue(id)))) as unknown as Promise<Observed>,
    refetchInterval: 2_500,
    staleTime: 0,
    retry: false,
  })

export function useDeploymentActions(id: MaybeRefOrGetter<string>) {
  const queries = useQueryClient()
  const onSettled = () => queries.invalidateQueries({ queryKey: deploymentsKey })
  return {
    rollback: useMutation({ mutationFn: () => unwrap(api.POST('/api/v1/deployments/{deployment}/rollback', one(toValue(id)))), onSettled }),
    act: useMutation({
      mutationFn: (body: Schemas['ActOn']) => unwrap(api.POST('/api/v1/deployments/{deployment}/actions', { ...one(toValue(id)), body })),
      onSettled,
    }),
    /** Undoes one that is under way; takes one that is good away. */
    stop: useMutation({
      mutationFn: (volumes: boolean) => unwrap(api.DELETE('/api/v1/deployments/{deployment}', { params: { path: { deployment: toValue(id) }, query: { volumes } } })),
      onSettled,
    }),
  }
}
