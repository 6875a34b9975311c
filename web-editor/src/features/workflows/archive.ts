import { api, unwrap, type Schemas } from '@/api/client'
import { ApiProblem } from '@/api/problem'
import { sessionFetch } from '@/api/session'

export type ArchiveFile = Schemas['ImportedFile']
export type Outcome = Schemas['Outcome']

export const isArchive = ({ name }: Pick<File, 'name'>): boolean => /\.(tar\.gz|tgz)$/i.test(name)

/** What becomes, or would become, of each file of an archive. */
export async function bringIn(archive: Blob, dryRun: boolean): Promise<ArchiveFile[]> {
  const request = new Request(new URL(`/api/v1/import?dry_run=${dryRun}`, location.origin), { method: 'POST', body: archive, headers: { 'content-type': 'application/gzip' } })
  const answer = await sessionFetch(request)
  const body: unknown = await answer.json().catch(() => null)
  if (!answer.ok) throw ApiProblem.from(answer.status, body)
  return (body as Schemas['Imported']).files
}

/** The texts of workflows as a compressed archive. */
export const packed = (query: { q?: string; tag?: string; folder?: string }): Promise<Blob> =>
  unwrap(api.GET('/api/v1/export', { params: { query }, parseAs: 'blob' })) as Promise<unknown> as Promise<Blob>

/** How many of the files change something. */
export const changing = (files: readonly Pick<ArchiveFile, 'outcome'>[]): number => files.filter(({ outcome }) => outcome === 'created' || outcome === 'updated').length
