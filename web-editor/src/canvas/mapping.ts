import type { Edge, Node } from '@vue-flow/core'
import { card, positions, step } from '@/domain/arrange'
import { defaultPort, errorPort, kindColour, localized, portsOf, summary, type NodeTypes } from '@/domain/node-types'
import { drawNotes, type NoteData } from './notes'
import type { DocumentProblem, NodeView, Position, WorkflowView } from '@/domain/workflow'

/** What a card shows of its node. */
export interface CardData {
  title: string
  summary: string
  icon: string | undefined
  colour: string
  ports: string[]
  /** Ports that something is attached to, `error` included. */
  used: string[]
  disabled: boolean
  /** The node type is not installed. */
  unknown: boolean
  errors: number
  warnings: number
  problem: DocumentProblem | undefined
  marks: ('for_each' | 'retry' | 'if' | 'any' | 'timeout')[]
  /** Another node names it in `compensate`: it has no port, and starts only to undo. */
  undoes: boolean
  height: number
}

export interface WireData {
  kind: 'needs' | 'reference' | 'order' | 'start' | 'compensate'
  port: string | null
}

export interface StartData {
  triggers: { name: string; uses: string }[]
  inputs: number
}

export type CanvasNode = Node<CardData | StartData | NoteData>
export type CanvasEdge = Edge<WireData>

export const startId = '@start'
export const inHandle = 'in'
const undoHandle = '@undo'

/** An edge of the file has no name of its own; this one is the same whenever it is drawn. */
export const edgeId = (from: string, port: string | null, to: string): string => `${from}.${port ?? ''}>${to}`

/** The port that a handle stands for, as `connect` wants it: success of a node with a single port is no name. */
export function portOfHandle(handle: string | null | undefined, ports: readonly string[]): string | undefined {
  if (!handle || (handle === defaultPort && ports.length === 1)) return undefined
  return handle
}

/** A card grows with its ports. */
export const cardHeight = (ports: number): number => Math.max(card.height, 20 + ports * 20)

/** An edge without a port is a success: it leaves where the type has a single port, else where the first is. */
const handleOf = (port: string | null, ports: readonly string[]): string => port ?? ports[0] ?? defaultPort

function cardOf(node: NodeView, types: NodeTypes, language: string, problems: readonly DocumentProblem[], used: string[], undoes: boolean): CardData {
  const type = types.get(node.uses)
  const own = problems.filter((problem) => problem.node === node.id)
  const declared = portsOf(type, node.with)
  // A port that the type does not have, but that an edge names, is drawn: else the mistake could not be seen.
  const ports = [...declared, ...used.filter((port) => port !== errorPort && !declared.includes(port))]
  const marks: CardData['marks'] = []
  if (node.for_each !== undefined) marks.push('for_each')
  if (node.if !== undefined) marks.push('if')
  if (node.retry !== undefined) marks.push('retry')
  if (node.timeout !== undefined) marks.push('timeout')
  if (node.join === 'any') marks.push('any')
  return {
    title: node.title ?? node.id,
    summary: summary(node, type) || localized(type?.type.title, language) || node.uses,
    icon: type?.type.icon,
    colour: kindColour(type?.type.category),
    ports: node.for_each === undefined ? ports : [defaultPort],
    used,
    disabled: node.disabled,
    unknown: types.size > 0 && type === undefined,
    errors: own.filter(({ severity }) => severity === 'error').length,
    warnings: own.filter(({ severity }) => severity === 'warning').length,
    problem: own[0],
    marks,
    undoes,
    height: cardHeight(ports.length),
  }
}

const byId = <T extends { id: string }>(all: readonly T[]) => new Map(all.map((one) => [one.id, one]))

/** The drawing of a workflow. Pure: the same text gives the same drawing. */
export function draw(
  workflow: WorkflowView,
  types: NodeTypes,
  language: string,
  problems: readonly DocumentProblem[],
): { nodes: CanvasNode[]; edges: CanvasEdge[] } {
  const places = positions(workflow)
  const undoing = new Set(workflow.nodes.flatMap((node) => node.compensate ?? []))
  const known = byId(workflow.nodes)
  const usedPorts = new Map<string, Set<string>>()
  const entered = new Set<string>()
  for (const edge of workflow.edges) {
    if (edge.kind === 'order') continue
    const source = known.get(edge.from)
    const port = handleOf(edge.port, portsOf(source && types.get(source.uses), source?.with ?? null))
    usedPorts.set(edge.from, (usedPorts.get(edge.from) ?? new Set()).add(port))
    entered.add(edge.to)
  }

  const nodes: CanvasNode[] = workflow.nodes.map((node) => {
    const data = cardOf(node, types, language, problems, [...(usedPorts.get(node.id) ?? [])], undoing.has(node.id))
    // What is out of sight is not measured, and is on the map nevertheless.
    const dimensions = { width: card.width, height: data.height }
    return { id: node.id, type: 'card', position: point(places.get(node.id) ?? [0, 0]), dimensions, data, ariaLabel: node.title ?? node.id }
  })

  const edges: CanvasEdge[] = workflow.edges
    .filter(({ from, to }) => known.has(from) && known.has(to))
    .map(({ from, port, to, kind }) => {
      const source = known.get(from)
      return {
        id: kind === 'order' ? `${edgeId(from, port, to)}?` : edgeId(from, port, to),
        type: 'wire',
        source: from,
        target: to,
        sourceHandle: handleOf(port, portsOf(source && types.get(source.uses), source?.with ?? null)),
        targetHandle: inHandle,
        ...(kind === 'order' && { selectable: false }),
        data: { kind, port },
      }
    })
  for (const { id, compensate } of workflow.nodes) {
    if (compensate && known.has(compensate))
      edges.push({
        id: `${id}~${compensate}`,
        type: 'wire',
        source: id,
        target: compensate,
        sourceHandle: undoHandle,
        targetHandle: undoHandle,
        selectable: false,
        data: { kind: 'compensate', port: null },
      })
  }

  nodes.push(...drawNotes(workflow.notes))
  // An empty drawing begins with an invitation instead.
  if (!workflow.nodes.length) return { nodes, edges }
  const roots = workflow.nodes.filter(({ id }) => !entered.has(id) && !undoing.has(id))
  nodes.push({
    id: startId,
    type: 'start',
    position: point(besideRoots(roots.map(({ id }) => places.get(id) ?? [0, 0]))),
    draggable: false,
    deletable: false,
    data: { triggers: Object.entries(workflow.triggers).map(([name, { uses }]) => ({ name, uses })), inputs: Object.keys(workflow.inputs).length },
  })
  for (const { id } of roots)
    edges.push({ id: `${startId}>${id}`, type: 'wire', source: startId, target: id, targetHandle: inHandle, selectable: false, data: { kind: 'start', port: null } })
  return { nodes, edges }
}

const point = ([x, y]: Position) => ({ x, y })

/** The start stands left of what it starts, at its middle. It is no node of the file, so it has no place of its own there. */
function besideRoots(roots: readonly Position[]): Position {
  if (!roots.length) return [-step.x, 0]
  const ys = roots.map(([, y]) => y)
  return [Math.min(...roots.map(([x]) => x)) - step.x + 16, Math.round((Math.min(...ys) + Math.max(...ys)) / 2)]
}
