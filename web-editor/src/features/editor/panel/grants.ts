import type { NodeType } from '@/domain/node-types'
import { isExpression } from '@/domain/schema-form'
import type { Json, NodeView, WorkflowView } from '@/domain/workflow'

const listOf = (value: Json | undefined): string[] => (Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [])

/** The host that a node would ask and that the workflow does not grant yet, as `permissions.http` wants it. */
export function missingHost(workflow: WorkflowView, node: NodeView, type: NodeType | undefined): string | undefined {
  const asks = type?.capabilities
  if (typeof asks !== 'object' || asks === null || !('http' in asks)) return undefined
  const url = typeof node.with === 'object' && node.with !== null && !Array.isArray(node.with) ? node.with.url : undefined
  if (typeof url !== 'string') return undefined
  const granted = listOf(workflow.permissions.http)
  if (isExpression(url)) {
    // An expression may be granted where it reads inputs only: it is worked out once, when the run starts.
    const whole = /^\$\{\{\s*(inputs\.\w+)\s*\}\}/.exec(url)?.[1]
    if (!whole) return undefined
    return granted.some((one) => one.replaceAll(/\s/g, '') === `\${{${whole}}}`) ? undefined : `\${{ ${whole} }}`
  }
  if (!URL.canParse(url)) return undefined
  const { hostname, host, protocol, port } = new URL(url)
  const covers = (grant: string): boolean => {
    const bare = grant.replace(/^https?:\/\//, '')
    const [name = '', wantedPort] = bare.split(':')
    const nameFits = name === hostname || (name.startsWith('*.') && hostname.endsWith(name.slice(1)))
    return nameFits && (wantedPort === '*' || (wantedPort ?? '') === port)
  }
  if (granted.some(covers)) return undefined
  return port ? `${protocol}//${host}` : hostname
}

/** What is granted by names, and what is granted or not: all keys of `permissions:`, in the order in which they are shown. */
export const grantedLists = ['http', 'credentials', 'email', 'docker', 'events'] as const
export const grantedSwitches = ['state', 'files', 'clock', 'random'] as const

/** The grants with one more. */
export const withHost = (workflow: WorkflowView, host: string): Json => [...listOf(workflow.permissions.http), host]
