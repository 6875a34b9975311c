import type { NodeTypes } from './node-types'
import type { RunLive } from './run-live'
import type { Json, JsonObject, WorkflowView } from './workflow'
import { reached } from './connect'

export interface Suggestion {
  label: string
  detail?: string
  /** Of inputs and nodes those that are likelier come first. */
  boost?: number
}

export interface ExpressionScope {
  workflow: WorkflowView
  types: NodeTypes
  /** The node whose field it is. */
  node?: string
  run?: RunLive
}

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The expression around a place in a text: from behind `${{` up to it. None outside of one. */
export function expressionBefore(text: string): string | undefined {
  const open = text.lastIndexOf('${{')
  return open < 0 || text.indexOf('}}', open) >= 0 ? undefined : text.slice(open + 3)
}

const detailOf = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.length}]`
  if (isObject(value)) return '{…}'
  const text = JSON.stringify(value) ?? ''
  return text.length > 32 ? `${text.slice(0, 31)}…` : text
}
const keysOf = (value: unknown): Suggestion[] =>
  isObject(value) ? Object.entries(value).map(([label, one]) => ({ label, detail: detailOf(one) })) : []
const keysOfSchema = (schema: JsonObject | undefined): Suggestion[] =>
  isObject(schema?.properties)
    ? Object.entries(schema.properties).map(([label, one]) => ({ label, ...(isObject(one) && typeof one.type === 'string' && { detail: one.type }) }))
    : []

/** What `input` stands for: the output of the one node that it follows, else one by node. */
export function inputOf(scope: Pick<ExpressionScope, 'workflow' | 'node' | 'run'>): Json | undefined {
  const sources = [...new Set(scope.workflow.edges.filter(({ to }) => to === scope.node).map(({ from }) => from))]
  if (!sources.length) return scope.run?.inputs
  if (sources.length === 1 && sources[0]) return scope.run?.nodes[sources[0]]?.output
  return Object.fromEntries(sources.map((id) => [id, scope.run?.nodes[id]?.output ?? null]))
}

function along(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, key) => (isObject(at) ? at[key] : Array.isArray(at) ? at[Number(key)] : undefined), value)
}

/**
 * What may follow in an expression, and how many letters of it are there already. Real outputs of the last run come before what
 * schemas promise.
 */
export function suggest(before: string, scope: ExpressionScope): { typed: number; suggestions: Suggestion[] } {
  const tail = /[\w.[\]'"]*$/.exec(before)?.[0] ?? ''
  const path = tail.replaceAll(/\[['"]?(\w+)['"]?\]/g, '.$1').split('.')
  const typed = path.pop()?.length ?? 0
  return { typed, suggestions: follow(path, scope) }
}

function follow(path: readonly string[], scope: ExpressionScope): Suggestion[] {
  const { workflow, types, node, run } = scope
  const [root, first, second, ...rest] = path
  if (root === undefined) {
    const roots = ['inputs', 'nodes', 'input', 'run']
    const each = workflow.nodes.find(({ id }) => id === node)?.for_each !== undefined
    return [...roots, ...(each ? ['item', 'item_index'] : [])].map((label) => ({ label }))
  }
  if (root === 'run') return first === undefined ? [{ label: 'id' }] : []
  if (root === 'inputs') {
    if (first !== undefined) return keysOf(along(run?.inputs, path.slice(1)))
    return Object.entries(workflow.inputs).map(([label, schema]) => ({ label, ...(typeof schema.type === 'string' && { detail: schema.type }) }))
  }
  if (root === 'input') return keysOf(along(inputOf(scope), path.slice(1)))
  if (root === 'item') {
    const list = inputOf(scope)
    return keysOf(along(Array.isArray(list) ? list[0] : undefined, path.slice(1)))
  }
  if (root !== 'nodes') return []
  if (first === undefined) {
    const backwards = workflow.edges.map((edge) => ({ from: edge.to, to: edge.from }))
    const upstream = node === undefined ? new Set<string>() : reached(backwards, node)
    return workflow.nodes
      .filter(({ id }) => id !== node)
      .map(({ id, title, uses }) => ({ label: id, detail: title ?? uses, boost: upstream.has(id) ? 1 : 0 }))
  }
  if (second === undefined) return ['output', 'error', 'status', ...(workflow.nodes.find(({ id }) => id === first)?.uses.startsWith('callback@') ? ['callback'] : [])].map((label) => ({ label }))
  if (second === 'error') return rest.length ? [] : ['code', 'message', 'kind', 'details'].map((label) => ({ label }))
  if (second !== 'output') return []
  const real = keysOf(along(run?.nodes[first]?.output, rest))
  if (real.length || rest.length) return real
  const source = workflow.nodes.find(({ id }) => id === first)
  return keysOfSchema(source && types.get(source.uses)?.output)
}
