import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { api, everyPage, unwrap, type Schemas } from '@/api/client'

export type Target = Schemas['TargetView']
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

/** What a target is like, or why it is not reached, when somebody is about to use it. */
export const useFacts = (name: MaybeRefOrGetter<string>, enabled: MaybeRefOrGetter<boolean>) =>
  useQuery({
    queryKey: computed(() => [...targetsKey, 'facts', toValue(name)]),
    enabled: computed(() => toValue(enabled)),
    queryFn: () => unwrap(api.POST('/api/v1/targets/{name}/test', one(toValue(name)))),
    retry: false,
    staleTime: 15_000,
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
    /** Reaches it now. Whoever looks is told of it. */
    test: useMutation({ mutationFn: (name: string) => unwrap(api.POST('/api/v1/targets/{name}/test', one(name))) }),
    take: useMutation({ mutationFn: (csv: string) => unwrap(api.POST('/api/v1/targets/import', { body: { csv } })), onSettled }),
  }
}
