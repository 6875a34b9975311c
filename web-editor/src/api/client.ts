import createClient from 'openapi-fetch'
import type { components, paths } from './generated/schema'
import { ApiProblem } from './problem'
import { sessionFetch } from './session'

export type Schemas = components['schemas']

/** The API, typed by its OpenAPI document. */
export const api = createClient<paths>({ baseUrl: globalThis.location?.origin, fetch: sessionFetch })

/** The data of an answer, or a thrown {@link ApiProblem}. */
export async function unwrap<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call
  if (!response.ok) throw ApiProblem.from(response.status, error)
  return data as T
}

interface Page<T> {
  items: T[]
  next?: string | null
}

/** All pages of a list that is small by nature (workflows, node types), at most `bound` items. */
export async function everyPage<T>(page: (cursor: string | undefined) => Promise<Page<T>>, bound = 2000): Promise<T[]> {
  const items: T[] = []
  let cursor: string | undefined
  do {
    const part = await page(cursor)
    items.push(...part.items)
    cursor = part.next ?? undefined
  } while (cursor && items.length < bound)
  return items
}
