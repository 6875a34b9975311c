import { inject, type InjectionKey, type Ref, type ShallowRef } from 'vue'
import type { Refusal } from '@/domain/connect'
import type { NodeRun } from '@/domain/run-live'
import type { NoteColour, Position } from '@/domain/workflow'

/** What cards and wires share, beside their own data: so that a step of a run redraws one card, and not the drawing. */
export interface CanvasContext {
  /** How a node stands in the run that is shown. */
  runOf(id: string): NodeRun | undefined
  showsRun: Ref<boolean>
  readonly: Ref<boolean>
  /** While an edge is being drawn: from where, and what refuses it. */
  connecting: ShallowRef<{ from: string; refused: ReadonlyMap<string, Refusal> } | undefined>
  hoveredWire: Ref<string | undefined>
  /** Zoomed out so far that small things only cost time. */
  far: Ref<boolean>
  addAfter(node: string, port: string): void
  insertOn(wire: { source: string; target: string; port: string | null }): void
  cut(wire: string): void
  openData(node: string): void
  /** The note whose text is being written. */
  writing: Ref<string | undefined>
  changeNote(note: string, change: NoteChange): void
  removeNote(note: string): void
  isPinned(node: string): boolean
  /** Nodes may be run alone. */
  runs: Ref<boolean>
  act(node: string, what: NodeAct): void
}

/** What somebody does to a note: each is one step back. */
export interface NoteChange {
  text?: string
  colour?: NoteColour
  place?: { at: Position; size: [width: number, height: number] }
}
/** What the buttons above a node do. */
export type NodeAct = 'run' | 'disable' | 'duplicate' | 'remove'

export const canvasKey: InjectionKey<CanvasContext> = Symbol('canvas')
export function useCanvas(): CanvasContext {
  const found = inject(canvasKey)
  if (!found) throw new Error('cards and wires belong on a canvas')
  return found
}
