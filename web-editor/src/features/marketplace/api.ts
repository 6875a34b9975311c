import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { api, everyPage, unwrap, type Schemas } from '@/api/client'
import { ApiProblem } from '@/api/problem'
import { sessionFetch } from '@/api/session'
import type { JsonObject } from '@/domain/workflow'
import type { Variable } from '../stacks/variables'

export type Localised = Schemas['LocalisedText']
export type Kind = Schemas['TemplateKind']
export type Template = Schemas['TemplateSummary']
export type Review = Schemas['Review']
export type Installed = Schemas['InstalledView']
export type Update = Schemas['TemplateUpdate']
export type Registry = Schemas['Registry']

export interface ServiceSummary {
  name: string
  image: string
  ports: string[]
  health: boolean
  depends_on: string[]
}
/** A template with the parts that the OpenAPI document leaves open. */
export interface TemplateDetail extends Omit<Schemas['TemplateDetail'], 'services' | 'variables' | 'inputs' | 'requirements' | 'permissions'> {
  services: ServiceSummary[]
  variables: Variable[]
  inputs: Record<string, JsonObject>
  requirements: { cpu?: number | null; memory_mb?: number | null; disk_mb?: number | null } | null
  permissions: { http?: string[]; credentials?: string[]; docker?: string[]; email?: string[]; events?: string[]; state?: boolean; files?: boolean; clock?: boolean; random?: boolean } | null
}

export const marketplaceKey = ['marketplace'] as const
export interface Search {
  q: string
  kind: string
  category: string
  tag: string
  registry: string
  sort: string
  language: string
}

/** The templates that fit, page by page, with how many there would be by each further choice. */
export const useTemplatePages = (search: MaybeRefOrGetter<Search>) =>
  useInfiniteQuery({
    queryKey: computed(() => [...marketplaceKey, 'list', toValue(search)]),
    queryFn: ({ pageParam }) => {
      // What is empty is not asked for.
      const query = Object.fromEntries(Object.entries(toValue(search)).filter(([, value]) => value)) as Partial<Search>
      return unwrap(api.GET('/api/v1/templates', { params: { query: { ...(query as object), limit: 48, cursor: pageParam } } }))
    },
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
const named = ({ name, registry, version }: Which) => ({ params: { path: { name }, query: { registry, version } } })
export const useTemplate = (which: MaybeRefOrGetter<Which>) =>
  useQuery({ queryKey: computed(() => [...marketplaceKey, 'one', toValue(which)]), queryFn: () => unwrap(api.GET('/api/v1/templates/{name}', named(toValue(which)))) as unknown as Promise<TemplateDetail> })

/** One of the organisation's own templates, or null where there is none of this name. */
export const useOwnTemplate = (name: MaybeRefOrGetter<string>) =>
  useQuery({
    queryKey: computed(() => [...marketplaceKey, 'own', toValue(name)]),
    enabled: computed(() => /^[a-z0-9][a-z0-9-]{0,63}$/.test(toValue(name))),
    retry: false,
    queryFn: async () => {
      try {
        return await unwrap(api.GET('/api/v1/templates/{name}', named({ name: toValue(name), registry: 'private' })))
      } catch (error) {
        if (error instanceof ApiProblem && error.status === 404) return null
        throw error
      }
    },
  })

/** A drawing as an address that a picture may have: it needs the token, which a picture does not send. */
export const usePicture = (address: MaybeRefOrGetter<string | false | null | undefined>) =>
  useQuery({
    queryKey: computed(() => [...marketplaceKey, 'picture', toValue(address)]),
    enabled: computed(() => Boolean(toValue(address))),
    staleTime: Infinity,
    retry: false,
    queryFn: async () => {
      const answer = await sessionFetch(new Request(new URL(toValue(address) || '', location.origin)))
      if (!answer.ok) throw ApiProblem.from(answer.status, await answer.json().catch(() => null))
      const svg = await answer.text()
      return `data:image/svg+xml;base64,${btoa(String.fromCharCode(...new TextEncoder().encode(svg)))}`
    },
  })

export const useReviews = (which: MaybeRefOrGetter<Which>) =>
  useQuery({
    queryKey: computed(() => [...marketplaceKey, 'reviews', toValue(which).name, toValue(which).registry]),
    queryFn: () => {
      const { name, registry } = toValue(which)
      return everyPage((cursor) => unwrap(api.GET('/api/v1/templates/{name}/reviews', { params: { path: { name }, query: { registry, limit: 100, cursor } } })), 500)
    },
  })
export const useInstalled = () =>
  useQuery({
    queryKey: [...marketplaceKey, 'installed'],
    queryFn: () => everyPage((cursor) => unwrap(api.GET('/api/v1/templates/installed', { params: { query: { limit: 200, cursor } } }))),
  })

const installedAs = ({ kind, as }: Pick<Installed, 'kind' | 'as'>) => ({ path: { kind, as } })
/** What an update would change, and the tag by which nobody's change is lost. */
export async function readUpdate(installed: Pick<Installed, 'kind' | 'as'>): Promise<Update & { etag: string }> {
  const asked = api.GET('/api/v1/templates/installed/{kind}/{as}/update', { params: installedAs(installed) })
  return { ...(await unwrap(asked)), etag: (await asked).response.headers.get('etag') ?? '' }
}

export const useRegistries = () => useQuery({ queryKey: [...marketplaceKey, 'registries'], queryFn: async () => (await unwrap(api.GET('/api/v1/registries'))).items })

export function useMarketplaceActions() {
  const queries = useQueryClient()
  // What is installed is a stack or a workflow, too.
  const onSettled = () => Promise.all([marketplaceKey, ['stacks'], ['workflows'], ['deployments']].map((queryKey) => queries.invalidateQueries({ queryKey })))
  const of = (name: string) => ({ params: { path: { name } } })
  return {
    install: useMutation({ mutationFn: ({ name, ...body }: Schemas['InstallTemplate'] & { name: string }) => unwrap(api.POST('/api/v1/templates/{name}/install', { ...of(name), body })), onSettled }),
    update: useMutation({
      mutationFn: ({ etag, ...installed }: Pick<Installed, 'kind' | 'as'> & { etag: string }) =>
        unwrap(api.POST('/api/v1/templates/installed/{kind}/{as}/update', { params: { ...installedAs(installed), header: { 'If-Match': etag || undefined } } })),
      onSettled,
    }),
    publish: useMutation({ mutationFn: (body: Schemas['PublishTemplate']) => unwrap(api.POST('/api/v1/templates', { body })), onSettled }),
    unpublish: useMutation({ mutationFn: (name: string) => unwrap(api.DELETE('/api/v1/templates/{name}', of(name))), onSettled }),
    review: useMutation({ mutationFn: ({ name, ...body }: Schemas['GiveReview'] & { name: string }) => unwrap(api.POST('/api/v1/templates/{name}/reviews', { ...of(name), body })), onSettled }),
    unreview: useMutation({ mutationFn: ({ name, ...query }: { name: string; registry: string; user?: string }) => unwrap(api.DELETE('/api/v1/templates/{name}/reviews', { params: { path: { name }, query } })), onSettled }),
    addRegistry: useMutation({ mutationFn: (body: Schemas['AddRegistry']) => unwrap(api.POST('/api/v1/registries', { body })), onSettled }),
    refreshRegistry: useMutation({ mutationFn: (name: string) => unwrap(api.POST('/api/v1/registries/{name}/refresh', of(name))), onSettled }),
    removeRegistry: useMutation({ mutationFn: (name: string) => unwrap(api.DELETE('/api/v1/registries/{name}', of(name))), onSettled }),
  }
}

/** The address of a template's page. */
export const pageOf = ({ name, registry, official }: Pick<Template, 'name' | 'registry' | 'official'>) => ({ path: `/marketplace/templates/${encodeURIComponent(name)}`, ...(!official && { query: { registry } }) })

/** A name that nothing has yet: `shop`, `shop-2`, … */
export function freeName(wanted: string, taken: ReadonlySet<string>): string {
  let name = wanted
  for (let number = 2; taken.has(name); number++) name = `${wanted}-${number}`
  return name
}

/** The version that comes after one: `1.2.3` becomes `1.3.0`. */
export function nextVersion(version: string): string {
  const [, major, minor] = /^(\d+)\.(\d+)\./.exec(version) ?? []
  return major === undefined ? version : `${major}.${Number(minor) + 1}.0`
}
