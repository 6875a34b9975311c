import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { api, everyPage, unwrap, type Schemas } from '@/api/client'

export type Person = Schemas['UserView']
export type Role = Schemas['Role']
export const roles: readonly Role[] = ['viewer', 'editor', 'operator', 'admin']

const key = ['users']
export const usePeople = () =>
  useQuery({ queryKey: key, queryFn: () => everyPage((cursor) => unwrap(api.GET('/api/v1/users', { params: { query: { limit: 200, cursor } } }))) })

export function usePeopleActions() {
  const queries = useQueryClient()
  const onSettled = () => queries.invalidateQueries({ queryKey: key })
  return {
    add: useMutation({ mutationFn: (body: Schemas['AddUser']) => unwrap(api.POST('/api/v1/users', { body })), onSettled }),
    change: useMutation({
      mutationFn: ({ id, role }: { id: string; role: Role }) => unwrap(api.PATCH('/api/v1/users/{id}', { params: { path: { id } }, body: { role } })),
      onSettled,
    }),
    remove: useMutation({ mutationFn: (id: string) => unwrap(api.DELETE('/api/v1/users/{id}', { params: { path: { id } } })), onSettled }),
  }
}
