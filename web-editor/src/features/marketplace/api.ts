import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { everyPage } from '@/api/client'
import { ApiProblem } from '@/api/problem'
import { sessionFetch } from '@/api/session'
import type { JsonObject } from '@/domain/workflow'
import type { Risk } from '../stacks/api'
import type { Variable } from '../stacks/variables'

export type Language = 'en' | 'fr'
export type Localised = Record<Language, string>
export type Kind = 'stack' | 'workflow'

export interface Template {
  name: string
  kind: Kind
  version: string
  title: Localised
  summary: Localised
  category: string
  tags: string[]
  registry: string
  official: boolean
  private: boolean
  installs: number
  rating: { average: number; count: number } | null
  installed: { as: string; version: string; update: boolean }[]
  icon: string
  services: number
  uses: string[]
  updated_at: number
}
export interface TemplateDetail extends Template {
  detail: true
  homepage: string | null
  license: string | null
  maintainers: string[]
  requirements: { cpu?: number | null; memory_mb?: number | null; disk_mb?: number | null } | null
  readme: Localised
  changelog: string
  versions: string[]
  shown: string
  preview: string | null
  text: string
  variables: Variable[]
  inputs: Record<string, JsonObject>
  serviceList: ServiceSummary[]
  images: string[]
  ports: string[]
  volumes: string[]
  risks: Risk[]
  reach: { uses: string; installed: boolean; reach: Localised | null }[]
  permissions: { http?: string[]; credentials?: string[]; docker?: string[] } | null
}
export interface ServiceSummary {
  name: string
  image: string
  ports: string[]
  health: boolean
  depends_on: string[]
}
export interface Count {
  name: string
  count: number
}
interface TemplatePage {
  items: Template[]
  next: string | null
  total: number
  facets: { kinds: Count[]; categories: Count[]; tags: Count[] }
}
export interface Review {
  user: string
  by: string
  mine: boolean
  stars: number
  text: string
  version: string
  at: number
}
export interface Installed {
  kind: Kind
  as: string
  template: string
  registry: string
  version: string
  latest: string | null
  update: boolean
  at: number
  by: string
}
export interface Update {
  from: string
  to: string
  update: boolean
  changed_by_hand: boolean
  difference: string
  changelog: string
}
export interface Registry {
  name: string
  address: string
  key: string
  sequence: number
  templates: number
  fetched_at: number
  error: string | null
  added_by: string
}
export interface Wish {
  as: string
  registry?: string
  version?: string
  variables?: Record<string, string>
  target?: string
  deploy?: boolean
  confirm?: string[]
  enable?: boolean
}
export interface Made {
  kind: Kind
  name: string
  version: string
  deployment?: string
}
export interface Publication {
  from: { stack: string } | { workflow: string }
  template: JsonObject
  readme?: Partial<Localised>
}

interface Asked {
  query?: Record<string, string | number | undefined>
  body?: object
}
async function ask(method: string, path: string, { query = {}, body }: Asked = {}): Promise<Response> {
  const url = new URL(path.startsWith('/api/') ? path : `/api/v1${path}`, location.origin)
  for (const [key, value] of Object.entries(query)) if (value !== undefined && value !== '') url.searchParams.set(key, String(value))
  const answer = await sessionFetch(new Request(url, { method, ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }) }))
  if (!answer.ok) throw ApiProblem.from(answer.status, await answer.json().catch(() => null))
  return answer
}
const call = async <T>(method: string, path: string, asked?: Asked): Promise<T> => {
  const answer = await ask(method, path, asked)
  return (answer.status === 204 ? undefined : await answer.json()) as T
}
const part = encodeURIComponent

export const marketplaceKey = ['marketplace'] as const
export interface Search {
  q: string
  kind: string
  category: string
  tag: string
  registry: string
  sort: string
}

/** The templates that fit, page by page, with how many there would be by each further choice. */
export const useTemplatePages = (search: MaybeRefOrGetter<Search>) =>
  useInfiniteQuery({
    queryKey: computed(() => [...marketplaceKey, 'list', toValue(search)]),
    queryFn: ({ pageParam }) => call<TemplatePage>('GET', '/templates', { query: { ...toValue(search), limit: 48, cursor: pageParam } }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    // What is on the screen stays until what was asked for is there.
    placeholderData: (before) => before,
  })

export interface Which {
  name: string
  registry?: string
  version?: string
}
export async function readTemplate({ name, registry, version }: Which): Promise<TemplateDetail> {
  const found = await call<Omit<TemplateDetail, 'services' | 'serviceList' | 'detail'> & { services: ServiceSummary[] }>('GET', `/templates/${part(name)}`, { query: { registry, version } })
  return { ...found, detail: true, services: found.services.length, serviceList: found.services }
}
export const useTemplate = (which: MaybeRefOrGetter<Which>) =>
  useQuery({ queryKey: computed(() => [...marketplaceKey, 'one', toValue(which)]), queryFn: () => readTemplate(toValue(which)) })

/** A drawing as an address that a picture may have: it needs the token, which a picture does not send. */
export const usePicture = (address: MaybeRefOrGetter<string | null | undefined>) =>
  useQuery({
    queryKey: computed(() => [...marketplaceKey, 'picture', toValue(address)]),
    enabled: computed(() => Boolean(toValue(address))),
    staleTime: Infinity,
    retry: false,
    queryFn: async () => {
      const svg = await (await ask('GET', toValue(address) ?? '')).text()
      return `data:image/svg+xml;base64,${btoa(String.fromCharCode(...new TextEncoder().encode(svg)))}`
    },
  })

export const useReviews = (which: MaybeRefOrGetter<Which>) =>
  useQuery({
    queryKey: computed(() => [...marketplaceKey, 'reviews', toValue(which).name, toValue(which).registry]),
    queryFn: () => everyPage((cursor) => call<{ items: Review[]; next?: string | null }>('GET', `/templates/${part(toValue(which).name)}/reviews`, { query: { registry: toValue(which).registry, limit: 100, cursor } }), 500),
  })
export const useInstalled = () =>
  useQuery({
    queryKey: [...marketplaceKey, 'installed'],
    queryFn: () => everyPage((cursor) => call<{ items: Installed[]; next?: string | null }>('GET', '/templates/installed', { query: { limit: 200, cursor } })),
  })

/** What an update would change, and the tag by which nobody's change is lost. */
export async function readUpdate({ kind, as }: Pick<Installed, 'kind' | 'as'>): Promise<Update & { etag: string }> {
  const answer = await ask('GET', `/templates/installed/${kind}/${part(as)}/update`)
  return { ...((await answer.json()) as Update), etag: answer.headers.get('etag') ?? '' }
}
async function update({ kind, as, etag }: Pick<Installed, 'kind' | 'as'> & { etag: string }): Promise<Installed> {
  const url = new URL(`/api/v1/templates/installed/${kind}/${part(as)}/update`, location.origin)
  const answer = await sessionFetch(new Request(url, { method: 'POST', headers: etag ? { 'if-match': etag } : {} }))
  if (!answer.ok) throw ApiProblem.from(answer.status, await answer.json().catch(() => null))
  return (await answer.json()) as Installed
}

export const useRegistries = () => useQuery({ queryKey: [...marketplaceKey, 'registries'], queryFn: async () => (await call<{ items: Registry[] }>('GET', '/registries')).items })

export function useMarketplaceActions() {
  const queries = useQueryClient()
  // What is installed is a stack or a workflow, too.
  const onSettled = () => Promise.all([marketplaceKey, ['stacks'], ['workflows'], ['deployments']].map((queryKey) => queries.invalidateQueries({ queryKey })))
  return {
    install: useMutation({ mutationFn: ({ name, ...body }: Wish & { name: string }) => call<Made>('POST', `/templates/${part(name)}/install`, { body }), onSettled }),
    update: useMutation({ mutationFn: update, onSettled }),
    publish: useMutation({ mutationFn: (body: Publication) => call<{ name: string; version: string }>('POST', '/templates', { body }), onSettled }),
    unpublish: useMutation({ mutationFn: (name: string) => call<undefined>('DELETE', `/templates/${part(name)}`), onSettled }),
    review: useMutation({ mutationFn: ({ name, ...body }: { name: string; registry: string; stars: number; text: string }) => call<Review>('POST', `/templates/${part(name)}/reviews`, { body }), onSettled }),
    unreview: useMutation({ mutationFn: ({ name, registry, user }: { name: string; registry: string; user?: string }) => call<undefined>('DELETE', `/templates/${part(name)}/reviews`, { query: { registry, user } }), onSettled }),
    addRegistry: useMutation({ mutationFn: (body: Pick<Registry, 'name' | 'address' | 'key'>) => call<Registry>('POST', '/registries', { body }), onSettled }),
    refreshRegistry: useMutation({ mutationFn: (name: string) => call<Registry>('POST', `/registries/${part(name)}/refresh`), onSettled }),
    removeRegistry: useMutation({ mutationFn: (name: string) => call<undefined>('DELETE', `/registries/${part(name)}`), onSettled }),
  }
}

/** The address of a template's page. */
export const pageOf = ({ name, registry, official }: Pick<Template, 'name' | 'registry' | 'official'>) => ({ path: `/marketplace/templates/${part(name)}`, ...(!official && { query: { registry } }) })

/** A name that nothing has yet: `shop`, `shop-2`, … */
export function freeName(wanted: string, taken: ReadonlySet<string>): string {
  let name = wanted
  for (let number = 2; taken.has(name); number++) name = `${wanted}-${number}`
  return name
}
