import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { api, everyPage, unwrap, type Schemas } from '@/api/client'

export type Target = Schemas['TargetView']
export type Facts = Schemas['FactsView']
export type NewTarget = Schemas['AddTarget']
export type Credentials = Schemas['SetCredentials']
export type ImportedLine = Schemas['ImportedLine']

export const environments = ['development', 'staging', 'production'] as const
export type Environment = (typeof environments)[number]

export const targetsKey = ['targets'] as const
const one = (name: string) => ({ params: { path: { name } } })

export const useTargets = () =>
  useQuery({
    queryKey: [...targetsKey, 'list'],
    queryFn: () => everyPage((cursor) => unwrap(api.GET('/api/v1/targets', { params: { query: { limit: 200, cursor } } }))),
  })

/** How often a target that is on the screen is reached again. */
const every = 30_000

/** What a target is like, or why it is not reached; asked again as long as somebody looks. */
export const useFacts = (name: MaybeRefOrGetter<string>, enabled: MaybeRefOrGetter<boolean>) =>
  useQuery({
    queryKey: computed(() => [...targetsKey, 'facts', toValue(name)]),
    enabled: computed(() => toValue(enabled)),
    queryFn: () => unwrap(api.POST('/api/v1/targets/{name}/test', one(toValue(name)))),
    retry: false,
    staleTime: every / 2,
    refetchInterval: every,
  })

export function useTargetActions() {
  const queries = useQueryClient()
  const onSettled = () => queries.invalidateQueries({ queryKey: targetsKey })
  return {
    add: useMutation({ mutationFn: (body: NewTarget) => unwrap(api.POST('/api/v1/targets', { body })), onSettled }),
    change: useMutation({
      mutationFn: ({ name, ...body }: NewTarget) => unwrap(api.PUT('/api/v1/targets/{name}', { ...one(name), body })),
      onSettled,
    }),
    remove: useMutation({ mutationFn: (name: string) => unwrap(api.DELETE('/api/v1/targets/{name}', one(name))), onSettled }),
    take: useMutation({ mutationFn: (csv: string) => unwrap(api.POST('/api/v1/targets/import', { body: { csv } })), onSettled }),
  }
}
