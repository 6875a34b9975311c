import type { ElkNode } from 'elkjs/lib/elk-api'
import { card, step } from './arrange'
import { errorPort } from './node-types'
import type { EdgeView, NodeView, Position, WorkflowView } from './workflow'

/** Room between columns where edges carry the names of ports, and how much came over them. */
const roomForNames = 128
const roomBetween = 88

/** A tidy place for every node, from left to right. elk is big, and comes when it is first needed. */
export async function layered(workflow: Pick<WorkflowView, 'nodes' | 'edges'>, portsOf: (node: NodeView) => readonly string[]): Promise<Record<string, Position>> {
  const ports = new Map(workflow.nodes.map((node) => [node.id, portsOf(node)]))
  const named = [...ports.values()].some((all) => all.length > 1)
  const { default: Elk } = await import('elkjs/lib/elk.bundled.js')
  const graph: ElkNode = {
    id: 'workflow',
    layoutOptions: {
      'elk.algorithm': 'layered',
      'elk.direction': 'RIGHT',
      'elk.layered.spacing.nodeNodeBetweenLayers': String(named ? roomForNames : roomBetween),
      'elk.spacing.nodeNode': String(step.y - card.height),
      'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
      'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
    },
    children: workflow.nodes.map(({ id }) => boxOf(id, ports.get(id) ?? [])),
    edges: workflow.edges.map((edge, index) => ({ id: String(index), sources: [leaves(edge, ports.get(edge.from) ?? [])], targets: [`${edge.to} in`] })),
  }
  const placed = (await new Elk().layout(graph)).children ?? []
  // The first node stays at the origin, so that tidying twice changes nothing.
  const [left, top] = [Math.min(...placed.map(({ x }) => x ?? 0)), placed[0]?.y ?? 0]
  return Object.fromEntries(placed.map(({ id, x = 0, y = 0 }) => [id, [Math.round(x - left), Math.round(y - top)]]))
}

/** A card with what is attached where: what fails leaves below, so that what follows it comes to stand below, too. */
function boxOf(id: string, ports: readonly string[]): ElkNode {
  const height = Math.max(card.height, 20 + ports.length * 20)
  const at = (name: string, side: 'WEST' | 'EAST' | 'SOUTH', x: number, y: number) => ({ id: `${id} ${name}`, x, y, width: 0, height: 0, layoutOptions: { 'elk.port.side': side } })
  return {
    id,
    width: card.width,
    height,
    layoutOptions: { 'elk.portConstraints': 'FIXED_POS' },
    ports: [at('in', 'WEST', 0, height / 2), ...ports.map((port, index) => at(`out ${port}`, 'EAST', card.width, ((index + 0.5) / ports.length) * height)), at('error', 'SOUTH', 28, height)],
  }
}
const leaves = ({ from, port }: EdgeView, ports: readonly string[]): string => {
  if (port === errorPort) return `${from} error`
  return `${from} out ${port !== null && ports.includes(port) ? port : ports[0]}`
}
