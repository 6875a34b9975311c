import { useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { api, everyPage, unwrap, type Schemas } from '@/api/client'
import { ApiProblem } from '@/api/problem'
import { sessionFetch } from '@/api/session'
import { warned } from '@/ui/notify'

export type WorkflowItem = Schemas['WorkflowView']

export const workflowsKey = ['workflows'] as const

export const useWorkflows = () =>
  useQuery({
    queryKey: workflowsKey,
    queryFn: () => everyPage((cursor) => unwrap(api.GET('/api/v1/workflows', { params: { query: { limit: 200, cursor } } }))),
  })

/** Texts are sent as they are: the document is YAML, not a JSON value that holds it. */
export async function sendText(method: string, path: string, text: string, headers: Record<string, string> = {}): Promise<Response> {
  const request = new Request(new URL(path, location.origin), { method, body: text, headers: { 'content-type': 'application/yaml', ...headers } })
  const answer = await sessionFetch(request)
  if (!answer.ok) throw ApiProblem.from(answer.status, await answer.json().catch(() => null))
  return answer
}

export interface Saved {
  workflow: WorkflowItem
  etag: string
}
const saved = async (answer: Response): Promise<Saved> => ({
  workflow: (await answer.json()) as WorkflowItem,
  etag: answer.headers.get('etag') ?? '',
})

export const createWorkflow = async (text: string): Promise<Saved> => saved(await sendText('POST', '/api/v1/workflows', text))

/** Saves over the version that was read; a {@link ApiProblem} of status 412 says that somebody was faster. */
export const replaceWorkflow = async (name: string, text: string, etag: string): Promise<Saved> =>
  saved(await sendText('PUT', `/api/v1/workflows/${encodeURIComponent(name)}/document`, text, { 'if-match': etag }))

/** The text of the latest version, and the tag to save over it with. */
export async function readDocument(name: string): Promise<{ text: string; etag: string }> {
  const answer = await sessionFetch(new Request(new URL(`/api/v1/workflows/${encodeURIComponent(name)}/document`, location.origin)))
  if (!answer.ok) throw ApiProblem.from(answer.status, await answer.json().catch(() => null))
  return { text: await answer.text(), etag: answer.headers.get('etag') ?? '' }
}

export const readWorkflow = (name: string): Promise<WorkflowItem> =>
  unwrap(api.GET('/api/v1/workflows/{name}', { params: { path: { name } } }))

/** Templates of workflows, to begin with. */
export const useTemplates = () =>
  useQuery({
    queryKey: ['templates', 'workflows'],
    queryFn: async () => (await unwrap(api.GET('/api/v1/templates', { params: { query: { kind: 'workflow', limit: 500 } } }))).items,
  })

/** The text of a template. */
export async function templateText(name: string, registry: string): Promise<string> {
  return (await unwrap(api.GET('/api/v1/templates/{name}', { params: { path: { name }, query: { registry } } }))).text
}

/** Switches triggers on or off, and says what keeps those that are on now from doing what the text says. */
export function useSwitch() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: async ({ name, on }: { name: string; on: boolean }) => {
      const params = { params: { path: { name } } }
      if (on) (await unwrap(api.POST('/api/v1/workflows/{name}/enable', params))).warnings.forEach(warned)
      else await unwrap(api.POST('/api/v1/workflows/{name}/disable', params))
    },
    onSettled: () => queries.invalidateQueries({ queryKey: workflowsKey }),
  })
}

export function useRemoval() {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: async (name: string) => {
      const { etag } = await readDocument(name)
      await unwrap(api.DELETE('/api/v1/workflows/{name}', { params: { path: { name }, header: { 'If-Match': etag } } }))
    },
    onSettled: () => queries.invalidateQueries({ queryKey: workflowsKey }),
  })
}
