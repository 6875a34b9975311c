import { useMutation, useQuery, useQueryClient, type QueryClient } from '@tanstack/vue-query'
import { api, everyPage, unwrap, type Schemas } from '@/api/client'
import { ApiProblem } from '@/api/problem'
import { sendText } from './api'

export type DraftItem = Schemas['DraftView']

/** A text that the server keeps for everybody, however wrong it is. */
export interface KeptDraft {
  text: string
  etag: string
  at: number
  by: string
  /** The version that it began from; null where the workflow is new. */
  basedOn: number | null
}

export const draftsKey = ['drafts'] as const

const allDrafts = {
  queryKey: draftsKey,
  queryFn: () => everyPage((cursor) => unwrap(api.GET('/api/v1/drafts', { params: { query: { limit: 200, cursor } } }))),
}
export const useDrafts = () => useQuery(allDrafts)

/** The draft of a workflow. Most have none, which the list of drafts knows: nothing is asked for that is not there. */
export async function findKeptDraft(queries: QueryClient, name: string): Promise<KeptDraft | undefined> {
  const known = await queries.fetchQuery({ ...allDrafts, staleTime: 0 })
  return known.some((one) => one.name === name) ? readKeptDraft(name) : undefined
}

const kept = (draft: DraftItem, text: string, answer: Response): KeptDraft => ({ text, etag: answer.headers.get('etag') ?? '', at: draft.updated_at, by: draft.updated_by, basedOn: draft.based_on ?? null })

/** The draft of a workflow, where there is one. */
export async function readKeptDraft(name: string): Promise<KeptDraft | undefined> {
  const { data, error, response } = await api.GET('/api/v1/drafts/{name}', { params: { path: { name } } })
  if (response.status === 404) return undefined
  if (!data) throw ApiProblem.from(response.status, error)
  return kept(data, data.text ?? '', response)
}

/** Keeps a text over the draft that was seen; a {@link ApiProblem} of status 412 says that there is another one. */
export async function keepOnServer(name: string, text: string, seen?: string): Promise<KeptDraft> {
  const answer = await sendText('PUT', `/api/v1/drafts/${encodeURIComponent(name)}`, text, seen ? { 'if-match': seen } : {})
  return kept((await answer.json()) as DraftItem, text, answer)
}

export const throwAway = (name: string) => unwrap(api.DELETE('/api/v1/drafts/{name}', { params: { path: { name } } }))

export function useDraftRemoval() {
  const queries = useQueryClient()
  return useMutation({ mutationFn: throwAway, onSettled: () => queries.invalidateQueries({ queryKey: draftsKey }) })
}
