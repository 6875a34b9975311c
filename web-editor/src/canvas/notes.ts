import type { NoteColour, NoteView } from '@/domain/workflow'

/** What a note on the canvas shows. */
export interface NoteData {
  note: string
  text: string
  colour: NoteColour
}

const prefix = 'note:'
/** Notes have names of their own: one may be called like a node. */
export const noteKey = (note: string): string => prefix + note
/** The note that something on the canvas is, if it is one. */
export const noteOf = (key: string): string | undefined => (key.startsWith(prefix) ? key.slice(prefix.length) : undefined)

/** Notes lie below what is drawn, also while one of them is chosen and lifted by the drawing. */
const below = -2000

export function drawNotes(notes: Record<string, NoteView>) {
  return Object.entries(notes).map(([note, { text, at: [x, y], size, color }]) => ({
    id: noteKey(note),
    type: 'note',
    position: { x, y },
    dimensions: { width: size[0], height: size[1] },
    style: { width: `${size[0]}px`, height: `${size[1]}px` },
    zIndex: below,
    connectable: false,
    data: { note, text, colour: color },
    ariaLabel: firstLine(text) || note,
  }))
}

const firstLine = (text: string): string => text.split('\n').find((line) => line.trim())?.replace(/^[#>*\-\s]+/, '').slice(0, 80) ?? ''
