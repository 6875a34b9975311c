import { api, unwrap, type Schemas } from '@/api/client'
import { ApiProblem } from '@/api/problem'
import { sessionFetch } from '@/api/session'

export type Plugin = Schemas['Plugin']
export type PluginPreview = Schemas['PluginPreview']

/** The largest package that a server takes. */
export const largest = 64 * 1024 * 1024

async function send(path: string, file: Blob): Promise<PluginPreview> {
  if (file.size > largest) throw new ApiProblem(413, 'too_large', 'The file is larger than 64 MiB, and so than any plugin.')
  const request = new Request(new URL(path, location.origin), { method: 'POST', body: file, headers: { 'content-type': 'application/wasm' } })
  const answer = await sessionFetch(request)
  const body: unknown = await answer.json().catch(() => null)
  if (!answer.ok) throw ApiProblem.from(answer.status, body)
  return body as PluginPreview
}

/** What a package may touch, and what is new in it. Nothing is changed. */
export const preview = (file: Blob): Promise<PluginPreview> => send('/api/v1/plugins/preview', file)

/** Installs the package that was previewed, with what grew and what stops where there is such: whoever calls this has had it agreed to. */
export const install = (file: Blob, { digest, before }: PluginPreview): Promise<PluginPreview> =>
  send(`/api/v1/plugins?${new URLSearchParams({ digest, may_do_more: String(grows({ before })), may_stop_workflows: String(stops({ before })) })}`, file)

export const remove = (name: string): Promise<unknown> => unwrap(api.DELETE('/api/v1/plugins/{name}', { params: { path: { name } } }))

/** Whether it may do more than the version that is there. */
export const grows = ({ before }: Pick<PluginPreview, 'before'>): boolean => (before?.more.length ?? 0) > 0

/** Whether workflows that are on would not fit it any more. */
export const stops = ({ before }: Pick<PluginPreview, 'before'>): boolean => (before?.unfit.length ?? 0) + (before?.unfit_more ?? 0) > 0

/** What the API calls one plugin: of some there are several major versions. */
export const called = ({ name, version }: Pick<Plugin, 'name' | 'version'>): string => `${name}@${version.split('.')[0]}`

/** Those that somebody installed. */
export const added = (plugins: readonly Plugin[]): Plugin[] => plugins.filter(({ origin }) => origin !== 'built_in')
