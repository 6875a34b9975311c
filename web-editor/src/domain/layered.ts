import type { ElkNode } from 'elkjs/lib/elk-api'
import { card, step } from './arrange'
import type { Position, WorkflowView } from './workflow'

/** A tidy place for every node, from left to right. elk is big, and comes when it is first needed. */
export async function layered(workflow: Pick<WorkflowView, 'nodes' | 'edges'>): Promise<Record<string, Position>> {
  const { default: Elk } = await import('elkjs/lib/elk.bundled.js')
  const graph: ElkNode = {
    id: 'workflow',
    layoutOptions: {
      'elk.algorithm': 'layered',
      'elk.direction': 'RIGHT',
      'elk.layered.spacing.nodeNodeBetweenLayers': String(step.x - card.width),
      'elk.spacing.nodeNode': String(step.y - card.height),
      'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
      'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
    },
    children: workflow.nodes.map(({ id }) => ({ id, width: card.width, height: card.height })),
    edges: workflow.edges.map(({ from, to }, index) => ({ id: String(index), sources: [from], targets: [to] })),
  }
  const placed = (await new Elk().layout(graph)).children ?? []
  // The first node stays at the origin, so that tidying twice changes nothing.
  const [left, top] = [Math.min(...placed.map(({ x }) => x ?? 0)), placed[0]?.y ?? 0]
  return Object.fromEntries(placed.map(({ id, x = 0, y = 0 }) => [id, [Math.round(x - left), Math.round(y - top)]]))
}
