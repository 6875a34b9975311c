import { errorPort, portsOf, type NodeTypes } from './node-types'
import type { EdgeView, WorkflowView } from './workflow'

export interface Wanted {
  from: string
  /** None: the default port. */
  port: string | null
  to: string
}

/** Why an edge may not be drawn; each has a text `editor.refusal.<reason>`. */
export type Refusal = 'itself' | 'there' | 'circle' | 'compensates' | 'unknown_port'

/** Nodes that are reached from a node. */
export function reached(edges: readonly Pick<EdgeView, 'from' | 'to'>[], start: string): Set<string> {
  const next = new Map<string, string[]>()
  for (const { from, to } of edges) next.set(from, [...(next.get(from) ?? []), to])
  const seen = new Set<string>()
  const open = [start]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const to of next.get(node) ?? []) {
      if (!seen.has(to)) {
        seen.add(to)
        open.push(to)
      }
    }
  }
  return seen
}

/** Whether an edge may be drawn, said while it is being drawn. The core has the last word. */
export function refusal(workflow: WorkflowView, types: NodeTypes, { from, port, to }: Wanted): Refusal | undefined {
  if (from === to) return 'itself'
  if (workflow.edges.some((edge) => edge.from === from && edge.to === to && edge.port === port && edge.kind === 'needs')) return 'there'
  if (workflow.nodes.some((node) => node.compensate === to || node.compensate === from)) return 'compensates'
  if (reached(workflow.edges, to).has(from)) return 'circle'
  const source = workflow.nodes.find((node) => node.id === from)
  const type = source && types.get(source.uses)
  if (type && port !== null && port !== errorPort && !portsOf(type, source.with).includes(port)) return 'unknown_port'
  return undefined
}

/** Every node that an edge from here may not lead to, with the reason: worked out once when somebody begins to draw an edge. */
export function refusals(workflow: WorkflowView, types: NodeTypes, from: string, port: string | null): Map<string, Refusal> {
  const backwards = workflow.edges.map((edge) => ({ from: edge.to, to: edge.from }))
  const before = reached(backwards, from)
  const undoing = new Set(workflow.nodes.flatMap((node) => node.compensate ?? []))
  const there = new Set(workflow.edges.filter((edge) => edge.from === from && edge.port === port && edge.kind === 'needs').map(({ to }) => to))
  const refused = new Map<string, Refusal>()
  const wrongPort = refusal({ ...workflow, edges: [], nodes: workflow.nodes }, types, { from, port, to: '' }) === 'unknown_port'
  for (const { id } of workflow.nodes) {
    if (id === from) refused.set(id, 'itself')
    else if (there.has(id)) refused.set(id, 'there')
    else if (undoing.has(id) || undoing.has(from)) refused.set(id, 'compensates')
    else if (before.has(id)) refused.set(id, 'circle')
    else if (wrongPort) refused.set(id, 'unknown_port')
  }
  return refused
}
