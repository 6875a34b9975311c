import type { WorkflowItem } from './api'

type Labelled = Pick<WorkflowItem, 'name' | 'description' | 'folder' | 'tags' | 'enabled'>

/** What of the list is wanted. */
export interface Wanted {
  words: string
  state: 'all' | 'enabled' | 'disabled'
  folder: string
  tag: string
}

const isWithin = (folder: string | null | undefined, outer: string): boolean => outer === '' || folder === outer || (folder?.startsWith(`${outer}/`) ?? false)

export function fits(item: Labelled, { words, state, folder, tag }: Wanted): boolean {
  const text = `${item.name} ${item.description ?? ''} ${item.tags.join(' ')}`.toLowerCase()
  return (
    (state === 'all' || item.enabled === (state === 'enabled')) &&
    isWithin(item.folder, folder) &&
    (tag === '' || item.tags.includes(tag)) &&
    words.toLowerCase().split(/\s+/).every((word) => text.includes(word))
  )
}

/** Whether the server packs it for a search with these words: it looks for them as they stand, in names and descriptions, and knows of no state. */
export function isPacked(item: Labelled, { words, folder, tag }: Wanted): boolean {
  const sought = words.trim().toLowerCase()
  return fits(item, { words: '', state: 'all', folder, tag }) && [item.name, item.description ?? ''].some((text) => text.toLowerCase().includes(sought))
}

export interface Folder {
  /** With the folders around it, as `ops/nightly`. */
  path: string
  name: string
  count: number
}

/** The folders directly within another, by name; `''` is the outermost. */
export function foldersWithin(items: readonly Labelled[], outer: string): Folder[] {
  const counts = new Map<string, number>()
  for (const { folder } of items) {
    if (!folder || folder === outer || !isWithin(folder, outer)) continue
    const name = folder.slice(outer ? outer.length + 1 : 0).split('/')[0] ?? ''
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return [...counts].map(([name, count]) => ({ name, path: outer ? `${outer}/${name}` : name, count })).sort((a, b) => a.name.localeCompare(b.name))
}

/** The way to a folder, the outermost first. */
export const trail = (folder: string): { path: string; name: string }[] => (folder ? folder.split('/').map((name, at, all) => ({ name, path: all.slice(0, at + 1).join('/') })) : [])

/** Tags, those of most workflows first. */
export function tagsOf(items: readonly Labelled[]): { name: string; count: number }[] {
  const counts = new Map<string, number>()
  for (const tag of items.flatMap(({ tags }) => tags)) counts.set(tag, (counts.get(tag) ?? 0) + 1)
  return [...counts].map(([name, count]) => ({ name, count })).sort((a, b) => b.count - a.count || a.name.localeCompare(b.name))
}

/** Tags as people write them: with commas between. */
export const readTags = (text: string): string[] => [...new Set(text.split(',').map((tag) => tag.trim()).filter(Boolean))]
/** A folder as it is written in the file. */
export const readFolder = (text: string): string =>
  text.split('/').map((name) => name.trim()).filter(Boolean).join('/')
