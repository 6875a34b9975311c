import type { Json, JsonObject } from './workflow'

/** How a node of a run stands, as the canvas shows it. */
export type NodeStatus = 'pending' | 'ready' | 'running' | 'waiting' | 'retrying' | 'succeeded' | 'failed' | 'skipped' | 'cancelled'
export type RunStatus = 'running' | 'cancelling' | 'succeeded' | 'failed' | 'cancelled'

export interface Failure {
  kind: string
  code: string
  message: string
  details?: Json
}

export interface Attempt {
  attempt: number
  item?: number
  status: 'running' | 'succeeded' | 'failed' | 'cancelled'
  startedAt?: number
  tookMs?: number
  failure?: Failure
}

export interface LogLine {
  node: string
  attempt: number
  level: string
  message: string
}

export interface Question {
  of: 'person' | 'system'
  message?: string
  form?: JsonObject
  expires?: number
}

export interface NodeRun {
  status: NodeStatus
  attempts: Attempt[]
  port?: string
  output?: Json
  failure?: Failure
  /** Sum over its attempts, in milliseconds. */
  tookMs: number
  items?: { total: number; done: number; failed: number }
  skipped?: string
  reused?: boolean
  question?: Question
  progress?: { fraction?: number; message?: string }
}

export interface RunLive {
  status: RunStatus
  startedAt?: number
  finishedAt?: number
  inputs?: Json
  outputs?: Json
  failure?: { node?: string; failure: Failure }
  nodes: Record<string, NodeRun>
  logs: LogLine[]
  /** Whose events were dropped on the way: the state is read anew. */
  sequence: number
}

/** Beyond this many lines the first are dropped: a run may write millions. */
const keptLines = 2000

export const noRun = (): RunLive => ({ status: 'running', nodes: {}, logs: [], sequence: 0 })

const nodeOf = (run: RunLive, id: string): NodeRun => (run.nodes[id] ??= { status: 'pending', attempts: [], tookMs: 0 })

interface AttemptOf {
  node: string
  item?: number | null
  attempt: number
}

function attemptOf(node: NodeRun, { attempt, item }: AttemptOf): Attempt {
  const wanted = item ?? undefined
  const known = node.attempts.find((other) => other.attempt === attempt && other.item === wanted)
  if (known) return known
  const fresh: Attempt = { attempt, status: 'running', ...(wanted !== undefined && { item: wanted }) }
  node.attempts.push(fresh)
  return fresh
}

type Handler = (run: RunLive, body: never, at: number) => void

const events: Record<string, Handler> = {
  run_started(run, body: { inputs: Json; reused?: Record<string, { port: string; output: Json }> }, at) {
    run.startedAt = at
    run.inputs = body.inputs
    for (const [id, { port, output }] of Object.entries(body.reused ?? {})) Object.assign(nodeOf(run, id), { port, output })
  },
  items_listed(run, body: { node: string; items: Json[] }) {
    const node = nodeOf(run, body.node)
    node.items = { total: body.items.length, done: 0, failed: 0 }
    node.status = body.items.length ? 'running' : 'succeeded'
    if (!body.items.length) node.output = []
  },
  attempt_started(run, body: AttemptOf & { wait?: { until?: unknown; answer?: Question; child?: unknown } }, at) {
    const node = nodeOf(run, body.node)
    attemptOf(node, body).startedAt = at
    node.status = body.wait ? 'waiting' : 'running'
    if (body.wait?.answer) node.question = body.wait.answer
  },
  attempt_succeeded(run, body: AttemptOf & { port: string; output: Json; took_us: number }) {
    const node = nodeOf(run, body.node)
    settle(node, body, 'succeeded')
    if (node.items && body.item !== undefined && body.item !== null) {
      if (!Array.isArray(node.output)) node.output = []
      node.output[body.item] = body.output
      node.items.done++
      endItems(node)
    } else Object.assign(node, { status: 'succeeded', port: body.port, output: body.output })
    delete node.question
  },
  attempt_failed(run, body: AttemptOf & { failure: Failure; retry_at?: number | null; took_us: number }) {
    const node = nodeOf(run, body.node)
    settle(node, body, 'failed').failure = body.failure
    node.failure = body.failure
    delete node.question
    if (body.retry_at) node.status = 'retrying'
    else if (node.items && body.item !== undefined && body.item !== null) {
      node.items.failed++
      endItems(node)
    } else node.status = 'failed'
  },
  node_skipped(run, body: { node: string; reason: string }) {
    Object.assign(nodeOf(run, body.node), { status: 'skipped', skipped: body.reason })
  },
  node_reused(run, body: { node: string }) {
    Object.assign(nodeOf(run, body.node), { status: 'succeeded', reused: true })
  },
  cancel_requested(run) {
    run.status = 'cancelling'
  },
  run_timed_out() {
    // What ends the run says why it failed.
  },
  attempt_cancelled(run, body: AttemptOf) {
    const node = nodeOf(run, body.node)
    attemptOf(node, body).status = 'cancelled'
    node.status = 'cancelled'
    delete node.question
  },
  run_finished(run, body: { status: RunStatus; outputs?: Json; failure?: RunLive['failure'] }, at) {
    Object.assign(run, { status: body.status, finishedAt: at, outputs: body.outputs, failure: body.failure })
  },
}

function settle(node: NodeRun, body: AttemptOf & { took_us: number }, status: 'succeeded' | 'failed'): Attempt {
  const attempt = attemptOf(node, body)
  attempt.status = status
  attempt.tookMs = body.took_us / 1000
  node.tookMs += attempt.tookMs
  delete node.progress
  return attempt
}

/** A node with items has settled when all of them have; what the server says in the end has the last word. */
function endItems(node: NodeRun): void {
  if (node.items && node.items.done + node.items.failed >= node.items.total) node.status = node.items.failed ? 'failed' : 'succeeded'
}

/** Takes one event of a live stream into the state, in place: a run of hundreds of nodes sends thousands. */
export function takeIn(run: RunLive, kind: string, data: unknown): void {
  const told = data as { sequence: number; at: number; event: Record<string, never> } & AttemptOf & LogLine & { fraction?: number; message?: string }
  if (kind === 'event') {
    // A stream that was taken up again may repeat what is known.
    if (told.sequence <= run.sequence) return
    run.sequence = told.sequence
    for (const [name, body] of Object.entries(told.event)) events[name]?.(run, body, told.at)
  } else if (kind === 'began') {
    const node = nodeOf(run, told.node)
    attemptOf(node, told)
    if (node.status !== 'waiting') node.status = 'running'
  } else if (kind === 'log') {
    run.logs.push(told)
    if (run.logs.length > keptLines) run.logs.splice(0, run.logs.length - keptLines)
  } else if (kind === 'progress') {
    nodeOf(run, told.node).progress = { fraction: told.fraction, message: told.message }
  }
}

export const hasEnded = (status: RunStatus): boolean => status === 'succeeded' || status === 'failed' || status === 'cancelled'
