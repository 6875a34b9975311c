/** What windflow-core says of a workflow's text. Offsets count UTF-16 units, as the text editor does. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }

export interface DocumentProblem {
  code: string
  severity: 'error' | 'warning'
  message: string
  help?: string
  from: number
  to: number
  line: number
  column: number
  /** The node that it is about, where it is about one. */
  node?: string | null
}

export interface Need {
  node: string
  /** None: the node's success. */
  port: string | null
}

export interface NodeView {
  id: string
  title?: string
  uses: string
  with: Json
  /** None: what its expressions refer to. */
  needs: Need[] | null
  join: 'all' | 'any'
  if?: string
  for_each?: Json
  retry?: Json
  timeout?: string
  compensate?: string
  on_unknown?: string
  disabled: boolean
  from: number
  to: number
}

export interface EdgeView {
  from: string
  port: string | null
  to: string
  /**
   * `reference`: implied by an expression, where the node has no `needs:`. `order`: by one where it has; the node only waits for it.
   */
  kind: 'needs' | 'reference' | 'order'
}

export interface TriggerView {
  uses: string
  with?: Json
  inputs?: Json
}

export type Position = [x: number, y: number]

export const noteColours = ['yellow', 'orange', 'red', 'green', 'blue', 'purple', 'grey'] as const
export type NoteColour = (typeof noteColours)[number]

/** What somebody wrote beside the nodes. */
export interface NoteView {
  /** Markdown. */
  text: string
  at: Position
  size: [width: number, height: number]
  color: NoteColour
}

export interface WorkflowView {
  name: string
  description?: string
  /** Where lists show it, as `ops/nightly`. */
  folder?: string
  tags?: string[]
  inputs: Record<string, JsonObject>
  triggers: Record<string, TriggerView>
  permissions: JsonObject
  outputs: JsonObject
  timeout?: string
  nodes: NodeView[]
  edges: EdgeView[]
  notes: Record<string, NoteView>
  layout: Record<string, Position>
}

export interface Reading {
  problems: DocumentProblem[]
  /** None where the text is not even YAML, or no workflow at all. */
  workflow: WorkflowView | null
}

export interface TextChange {
  from: number
  to: number
  insert: string
}

export type Edit =
  | { add_node: { id?: string; uses: string; title?: string; with?: Json; needs?: string[]; at?: Position } }
  | { remove_nodes: { ids: string[] } }
  | { rename_node: { id: string; to: string } }
  | { connect: { from: string; port?: string; to: string } }
  | { disconnect: { from: string; port?: string; to: string } }
  | { set: { path: string[]; value: Json } }
  | { unset: { path: string[] } }
  | { move: { positions: Record<string, Position> } }
  | { add_note: { text: string; at: Position; size?: [number, number]; color?: NoteColour } }
  | { remove_notes: { ids: string[] } }
  | { place_notes: { places: Record<string, NotePlace> } }
  | { paste: { yaml: string; at?: Position } }

export interface NotePlace {
  at: Position
  size?: [width: number, height: number]
}

export interface Edited {
  text: string
  changes: TextChange[]
  /** The ids that nodes got, in the order in which they were asked for. */
  added?: string[]
  added_notes?: string[]
}

export interface PreviewScope {
  inputs: JsonObject
  nodes: Record<string, { output: Json }>
  input: Json
  item?: Json
}

export type Previewed = { value: Json } | { error: { code?: string; message: string; from: number; to: number } }
