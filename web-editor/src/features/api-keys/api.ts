import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { api, everyPage, unwrap, type Schemas } from '@/api/client'

export type Key = Schemas['KeyView']
export type NewKey = Schemas['NewKey']

const key = ['api-keys']
export const useKeys = () =>
  useQuery({ queryKey: key, queryFn: () => everyPage((cursor) => unwrap(api.GET('/api/v1/api-keys', { params: { query: { limit: 200, cursor } } }))) })

export function useKeyActions() {
  const queries = useQueryClient()
  const onSettled = () => queries.invalidateQueries({ queryKey: key })
  return {
    add: useMutation({ mutationFn: (body: Schemas['AddKey']) => unwrap(api.POST('/api/v1/api-keys', { body })), onSettled }),
    remove: useMutation({ mutationFn: (id: string) => unwrap(api.DELETE('/api/v1/api-keys/{id}', { params: { path: { id } } })), onSettled }),
  }
}
