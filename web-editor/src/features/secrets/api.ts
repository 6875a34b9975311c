import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { api, everyPage, unwrap, type Schemas } from '@/api/client'
import { workflowsKey } from '@/features/workflows/api'

export type Secret = Schemas['SecretView']
/** As the server takes them; it checks again. */
export const isSecretName = (name: string): boolean => /^[a-z][a-z0-9_]{0,63}$/.test(name)

const key = ['secrets']
export const useSecrets = () =>
  useQuery({ queryKey: key, queryFn: () => everyPage((cursor) => unwrap(api.GET('/api/v1/secrets', { params: { query: { limit: 200, cursor } } }))) })

export function useSecretActions() {
  const queries = useQueryClient()
  // What triggers lack is told with them.
  const onSettled = () => Promise.all([key, workflowsKey].map((queryKey) => queries.invalidateQueries({ queryKey: [...queryKey] })))
  return {
    set: useMutation({
      mutationFn: ({ name, value }: { name: string; value: string }) => unwrap(api.PUT('/api/v1/secrets/{name}', { params: { path: { name } }, body: { value } })),
      onSettled,
    }),
    remove: useMutation({ mutationFn: (name: string) => unwrap(api.DELETE('/api/v1/secrets/{name}', { params: { path: { name } } })), onSettled }),
  }
}
