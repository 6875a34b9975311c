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
