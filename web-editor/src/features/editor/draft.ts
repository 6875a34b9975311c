import type { KeptDraft } from '../workflows/drafts'

/** Work that was not saved, kept by the browser: a reload or a crash of the tab loses nothing. */
export interface Draft {
  text: string
  /** What it was written on: the tag of the version, empty where there is none yet. */
  etag: string
  /** The tag of the draft on the server that was seen with it. */
  seen?: string
  at: number
}

const key = (organisation: string, name: string) => `windflow.draft.${organisation}.${name}`

export function readDraft(organisation: string, name: string): Draft | undefined {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(key(organisation, name)) ?? 'null')
    return typeof kept === 'object' && kept !== null && 'text' in kept && typeof kept.text === 'string' ? (kept as Draft) : undefined
  } catch {
    return undefined
  }
}

/** False where the browser would not keep it; then leaving the page asks first all the same. */
export function keepDraft(organisation: string, name: string, draft: Draft | undefined): boolean {
  try {
    if (draft) localStorage.setItem(key(organisation, name), JSON.stringify(draft))
    else localStorage.removeItem(key(organisation, name))
    return true
  } catch {
    return false
  }
}

/** The tag of no version: who saves with it is shown what there is by now. */
export const noVersion = '"0"'

/** What an editor begins with. */
export interface Beginning {
  /** Texts from the oldest to the one to go on with, so that each is one step back from the next. */
  texts: string[]
  /** The tag to save over, and that of the draft to keep over. */
  etag: string
  seen?: string
  /** Where the text to go on with comes from, unless it is the saved one. */
  from?: 'browser' | 'server'
}

/** The newest of what was saved, kept as a draft and left in this browser. What it was not written on is not overwritten unseen. */
export function beginning(saved: { text: string; etag: string; version?: number }, draft: KeptDraft | undefined, local: Draft | undefined): Beginning {
  const onServer = draft && { from: 'server' as const, text: draft.text, at: draft.at, etag: saved.etag === '' || draft.basedOn === (saved.version ?? null) ? saved.etag : noVersion, seen: draft.etag }
  const inBrowser = local && { from: 'browser' as const, text: local.text, at: local.at, etag: local.etag, seen: draft && local.seen }
  const unsaved = [onServer, inBrowser].filter((one) => one !== undefined && one.text !== saved.text).sort((a, b) => (a?.at ?? 0) - (b?.at ?? 0))
  const newest = unsaved.at(-1)
  if (!newest) return { texts: [saved.text], etag: saved.etag, seen: draft?.etag }
  const { from, etag, seen } = newest
  return { texts: [saved.text, ...unsaved.flatMap((one) => one?.text ?? [])], etag, seen, from }
}
