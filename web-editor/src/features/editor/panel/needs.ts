import { errorPort, portsOf, type NodeTypes } from '@/domain/node-types'
import { refusal } from '@/domain/connect'
import type { WorkflowView } from '@/domain/workflow'

export interface Source {
  node: string
  port: string | null
}

/** What a node could still start after, for those who do not draw with a mouse. */
export function possibleSources(workflow: WorkflowView, types: NodeTypes, to: string): Source[] {
  return workflow.nodes.flatMap((node) => {
    const ports = portsOf(types.get(node.uses), node.with)
    const all: (string | null)[] = [...(ports.length > 1 ? ports : [null]), errorPort]
    return all.map((port) => ({ node: node.id, port })).filter(({ port }) => refusal(workflow, types, { from: node.id, port, to }) === undefined)
  })
}

export const sourceText = ({ node, port }: Source): string => (port ? `${node}.${port}` : node)
