import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { everyPage } from '@/api/client'
import { ApiProblem } from '@/api/problem'
import { sessionFetch } from '@/api/session'
import { workflowsKey } from '@/features/workflows/api'
import type { Binding } from './binding'

export interface Credential {
  name: string
  bind: Binding
  hosts: string[]
  updated_at: number
  updated_by: string
}

// By hand until the OpenAPI document that this is built from has them: then this becomes the typed client, as everywhere else.
async function call<T>(method: string, path: string, body?: object): Promise<T> {
  const answer = await sessionFetch(
    new Request(new URL(`/api/v1/credentials${path}`, location.origin), {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    }),
  )
  const told: unknown = answer.status === 204 ? null : await answer.json().catch(() => null)
  if (!answer.ok) throw ApiProblem.from(answer.status, told)
  return told as T
}

const key = ['credentials']
export const useCredentials = () =>
  useQuery({
    queryKey: key,
    queryFn: () => everyPage((cursor) => call<{ items: Credential[]; next?: string | null }>('GET', `?limit=200${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`)),
  })

export function useCredentialActions() {
  const queries = useQueryClient()
  // What triggers lack is told with them.
  const onSettled = () => Promise.all([key, workflowsKey].map((queryKey) => queries.invalidateQueries({ queryKey: [...queryKey] })))
  return {
    set: useMutation({ mutationFn: ({ name, ...body }: { name: string; bind: Binding; hosts: string[]; value: string; client_secret?: string }) => call<Credential>('PUT', `/${encodeURIComponent(name)}`, body), onSettled }),
    remove: useMutation({ mutationFn: (name: string) => call<null>('DELETE', `/${encodeURIComponent(name)}`), onSettled }),
  }
}
