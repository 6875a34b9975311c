import { useI18n } from 'vue-i18n'
import { EditRefused } from '@/domain/core'
import { align, distribute, positions, step, type Side } from '@/domain/arrange'
import { layered } from '@/domain/layered'
import { defaultPort, portsOf, type NodeTypes } from '@/domain/node-types'
import type { Edit, NotePlace, Position } from '@/domain/workflow'
import type { NoteChange } from '@/canvas/context'
import { noteKey, noteOf } from '@/canvas/notes'
import { complain, told } from '@/ui/notify'
import type { EditorDocument } from './document'

interface Wire {
  from: string
  port: string | null
  to: string
}
/** What the canvas is asked by those who change the document. */
export interface CanvasHandle {
  selected(): string[]
  selectedEdges(): Wire[]
  selectedNotes(): string[]
  write(note: string): void
  select(ids: readonly string[]): void
  show(id: string): Promise<void>
  reveal(id: string, whole?: boolean): Promise<void>
  fit(): Promise<void>
  centre(): Promise<Position>
}

const disconnect = ({ from, port, to }: Wire): Edit => ({ disconnect: { from, to, ...(port !== null && { port }) } })
const connect = ({ from, port, to }: Wire): Edit => ({ connect: { from, to, ...(port !== null && { port }) } })

/** Everything that can be done to a workflow by drawing. Each is one step back. */
export function useEdits(document: EditorDocument, types: () => NodeTypes, canvas: () => CanvasHandle | undefined) {
  const { t } = useI18n()
  let clipboard = ''
  /** What is being copied at this moment. A clipboard of the system that is asked meanwhile tells what was there before. */
  let copying: Promise<boolean> | undefined

  const placeOf = (id: string): Position => (document.workflow.value && positions(document.workflow.value).get(id)) ?? [0, 0]

  /** Makes edits. What comes back are those that were added, as the canvas calls them. */
  async function attempt(edits: Edit[], mark?: string): Promise<string[] | undefined> {
    if (!edits.length) return undefined
    try {
      const { added = [], added_notes: notes = [] } = await document.apply(edits, mark)
      return [...added, ...notes.map(noteKey)]
    } catch (error) {
      complain(error instanceof EditRefused && !document.drawable.value ? new Error(t('editor.refusal.broken')) : error)
      return undefined
    }
  }

  async function chooseAdded(ids: string[] | undefined): Promise<string | undefined> {
    if (!ids?.length) return undefined
    await new Promise(requestAnimationFrame)
    canvas()?.select(ids)
    return ids[0]
  }

  /** A free place right of a node. */
  function beside(id: string, port?: string): Position {
    const workflow = document.workflow.value
    const [x, y] = placeOf(id)
    const places = workflow ? [...positions(workflow).values()] : []
    const source = workflow?.nodes.find((node) => node.id === id)
    const ports = portsOf(source && types().get(source.uses), source?.with ?? null)
    // Names of ports need room.
    const at: Position = [x + step.x + (ports.length > 1 ? 48 : 0), port === 'error' ? y + step.y : y + Math.max(0, ports.indexOf(port ?? defaultPort)) * step.y]
    while (places.some(([ox, oy]) => Math.abs(ox - at[0]) < 200 && Math.abs(oy - at[1]) < 76)) at[1] += step.y
    return at
  }

  async function copyNow(ids: string[], notes: string[]): Promise<boolean> {
    try {
      clipboard = await document.core.copy(document.text.value, ids, notes)
      // The clipboard of the system needs a secure address; this one works everywhere within the page.
      await navigator.clipboard?.writeText(clipboard).catch(() => undefined)
      return true
    } catch (error) {
      complain(error)
      return false
    }
  }

  return {
    attempt,
    async add(uses: string, wanted: { after?: { node: string; port?: string }; at?: Position; on?: Wire } = {}): Promise<string | undefined> {
      const { after, on } = wanted
      if (on) return chooseAdded(await insertOn(uses, on))
      const at = wanted.at ?? (after ? beside(after.node, after.port) : await canvas()?.centre())
      const needs = after && [after.port ? `${after.node}.${after.port}` : after.node]
      return chooseAdded(await attempt([{ add_node: { uses, ...(needs && { needs }), ...(at && { at }) } }]))
    },
    connect: (wire: { from: string; port?: string; to: string }) => attempt([{ connect: wire }]),
    move: ({ nodes, notes }: { nodes: Record<string, Position>; notes: Record<string, NotePlace> }) =>
      attempt([...(Object.keys(nodes).length ? [{ move: { positions: nodes } }] : []), ...(Object.keys(notes).length ? [{ place_notes: { places: notes } }] : [])]),
    remove: ({ nodes, edges, notes = [] }: { nodes: string[]; edges: Wire[]; notes?: string[] }) =>
      attempt([
        ...(notes.length ? [{ remove_notes: { ids: notes } }] : []),
        ...edges.filter(({ from, to }) => !nodes.includes(from) && !nodes.includes(to)).map(disconnect),
        ...(nodes.length ? [{ remove_nodes: { ids: nodes } }] : []),
      ]),
    /** Puts a note onto the canvas, and opens it to be written on. */
    async addNote(at?: Position): Promise<void> {
      const [x, y] = at ?? (await canvas()?.centre()) ?? [0, 0]
      const [key] = (await attempt([{ add_note: { text: t('editor.note.starter'), at: [x, y] } }])) ?? []
      const note = key && noteOf(key)
      if (!note) return
      await chooseAdded([key])
      canvas()?.write(note)
    },
    changeNote(id: string, { text, colour, place }: NoteChange) {
      const set = (key: string, value: string): Edit => ({ set: { path: ['notes', id, key], value } })
      return attempt([
        ...(text === undefined ? [] : [set('text', text)]),
        ...(colour === undefined ? [] : [set('color', colour)]),
        ...(place === undefined ? [] : [{ place_notes: { places: { [id]: place } } }]),
      ])
    },
    rename: (id: string, to: string) => attempt([{ rename_node: { id, to } }]),
    toggleDisabled(ids: string[]) {
      const nodes = document.workflow.value?.nodes.filter(({ id }) => ids.includes(id)) ?? []
      const off = nodes.some((node) => !node.disabled)
      return attempt(nodes.map(({ id }): Edit => (off ? { set: { path: ['nodes', id, 'disabled'], value: true } } : { unset: { path: ['nodes', id, 'disabled'] } })))
    },
    async copy(ids: string[], notes: string[] = []): Promise<boolean> {
      if (!ids.length && !notes.length) return false
      const mine = (copying = copyNow(ids, notes))
      const done = await mine
      if (copying === mine) copying = undefined
      return done
    },
    async paste(text?: string): Promise<void> {
      const fresh = (await copying) ? clipboard : undefined
      const yaml = fresh ?? text ?? ((await navigator.clipboard?.readText().catch(() => '')) || clipboard)
      if (!yaml.trim()) return
      const at = await canvas()?.centre()
      await chooseAdded(await attempt([{ paste: { yaml, ...(at && { at }) } }]))
    },
    async duplicate(ids: string[], notes: string[] = []): Promise<void> {
      if (!ids.length && !notes.length) return
      try {
        const yaml = await document.core.copy(document.text.value, ids, notes)
        const places = [...ids.map(placeOf), ...notes.flatMap((id) => (document.workflow.value?.notes[id] ? [document.workflow.value.notes[id].at] : []))]
        const at: Position = [Math.min(...places.map(([x]) => x)) + 40, Math.min(...places.map(([, y]) => y)) + step.y]
        await chooseAdded(await attempt([{ paste: { yaml, at } }]))
      } catch (error) {
        complain(error)
      }
    },
    async tidy(): Promise<void> {
      const workflow = document.workflow.value
      if (!workflow?.nodes.length) return
      await attempt([{ move: { positions: await layered(workflow, (node) => portsOf(types().get(node.uses), node.with)) } }])
      told(t('editor.tidied'))
    },
    align(ids: string[], side: Side) {
      return attempt([{ move: { positions: align(new Map(ids.map((id) => [id, placeOf(id)])), side) } }])
    },
    distribute(ids: string[], axis: 0 | 1) {
      return attempt([{ move: { positions: distribute(new Map(ids.map((id) => [id, placeOf(id)])), axis) } }])
    },
  }

  /** Puts a node between two that are connected. */
  async function insertOn(uses: string, on: Wire): Promise<string[] | undefined> {
    const [[ax, ay], [bx, by]] = [placeOf(on.from), placeOf(on.to)]
    const at: Position = [Math.round((ax + bx) / 2), Math.round((ay + by) / 2)]
    const crowded = bx - ax < step.x * 1.6
    const workflow = document.workflow.value
    // Where there is no room between the two, what is on the right makes some.
    const moved: Record<string, Position> = {}
    if (crowded && workflow)
      for (const [id, [x, y]] of positions(workflow)) if (x >= bx) moved[id] = [x + step.x, y]
    const begin: Edit[] = [
      ...(Object.keys(moved).length ? [{ move: { positions: moved } }] : []),
      { add_node: { uses, needs: [on.port ? `${on.from}.${on.port}` : on.from], at: crowded ? [ax + step.x, by] : at } },
    ]
    const mark = `insert ${Date.now()}`
    const added = await attempt(begin, mark)
    const id = added?.[0]
    if (!id) return undefined
    const known = document.workflow.value?.edges.find(({ from, to, port }) => from === on.from && to === on.to && port === on.port)
    const port = portsOf(types().get(uses), null)
    const next: Wire = { from: id, port: port.length > 1 ? (port[0] ?? null) : null, to: on.to }
    await attempt([...(known?.kind === 'needs' ? [disconnect(on)] : []), connect(next)], mark)
    return added
  }
}

export type Edits = ReturnType<typeof useEdits>
