import { inject, type InjectionKey, type Ref, type ShallowRef } from 'vue'
import type { Refusal } from '@/domain/connect'
import type { NodeRun } from '@/domain/run-live'

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
}

export const canvasKey: InjectionKey<CanvasContext> = Symbol('canvas')
export function useCanvas(): CanvasContext {
  const found = inject(canvasKey)
  if (!found) throw new Error('cards and wires belong on a canvas')
  return found
}
