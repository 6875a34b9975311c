/** Work that was not saved, kept by the browser: a reload or a crash of the tab loses nothing. */
export interface Draft {
  text: string
  /** What it was written on: the tag of the version, empty where there is none yet. */
  etag: string
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
