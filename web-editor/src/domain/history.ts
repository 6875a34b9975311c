/** A text with its past and its future. Immutable: each step gives a new one. */
export interface History {
  readonly past: readonly string[]
  readonly present: string
  readonly future: readonly string[]
  /** Marks steps that are one for a person, such as the letters of a word. */
  readonly mark?: string
}

/** How far back one may go. Texts are at most 1 MiB, and share nothing. */
const depth = 200

export const begin = (text: string): History => ({ past: [], present: text, future: [] })

/** The next text. Steps with the same mark in a row are undone together. */
export function advance(history: History, text: string, mark?: string): History {
  if (text === history.present) return history
  if (mark !== undefined && mark === history.mark) return { ...history, present: text, future: [] }
  return { past: [...history.past, history.present].slice(-depth), present: text, future: [], mark }
}

export function undo({ past, present, future }: History): History {
  const before = past.at(-1)
  return before === undefined ? { past, present, future } : { past: past.slice(0, -1), present: before, future: [present, ...future] }
}

export function redo({ past, present, future }: History): History {
  const [after, ...rest] = future
  return after === undefined ? { past, present, future } : { past: [...past, present], present: after, future: rest }
}
