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
  /** When this device heard of its begin: good enough until the journal tells. */
  heardAt?: number
  endedAt?: number
  tookMs?: number
  failure?: Failure
  /** When the next attempt may begin. */
  retryAt?: number
  /** What it waits for, where it waits instead of working. */
  waits?: Wait
}

/** A moment, somebody's answer, or another run. */
export type Wait = { kind: 'time'; until?: number } | { kind: 'answer' } | { kind: 'run'; run: string }

export interface LogLine {
  node: string
  attempt: number
  level: string
  message: string
  /** It was read in the journal, and not heard live. */
  kept?: boolean
}

/** What an attempt said, as the journal keeps it: its last lines, and how many came before them. */
interface KeptLog {
  lines: { level: string; message: string }[]
  left_out?: number
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
  /** The run that it repeats. */
  repeats?: string
  /** The run, and the node in it, that started it. */
  parent?: { run: string; node: string }
  /** How long it was given, in milliseconds, where that was too short. */
  timedOut?: number
  /** Nodes that should have undone something and could not. */
  uncompensated?: string[]
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

// What was put in is read back: where the state is reactive, only that notices changes.
function nodeOf(run: RunLive, id: string): NodeRun {
  run.nodes[id] ??= { status: 'pending', attempts: [], tookMs: 0 }
  return run.nodes[id] as NodeRun
}

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
  return node.attempts.at(-1) as Attempt
}

type Handler = (run: RunLive, body: never, at: number) => void

const events: Record<string, Handler> = {
  run_started(run, body: { inputs: Json; repeats?: string; parent?: { run: string; node: string }; reused?: Record<string, { port: string; output: Json }> }, at) {
    Object.assign(run, { startedAt: at, inputs: body.inputs, repeats: body.repeats, parent: body.parent })
    for (const [id, { port, output }] of Object.entries(body.reused ?? {})) Object.assign(nodeOf(run, id), { port, output })
  },
  items_listed(run, body: { node: string; items: Json[] }) {
    const node = nodeOf(run, body.node)
    node.items = { total: body.items.length, done: 0, failed: 0 }
    node.status = body.items.length ? 'running' : 'succeeded'
    if (!body.items.length) node.output = []
  },
  attempt_started(run, body: AttemptOf & { wait?: WaitEvent }, at) {
    const node = nodeOf(run, body.node)
    const attempt = attemptOf(node, body)
    attempt.startedAt = at
    if (body.wait) attempt.waits = waitOf(body.wait)
    node.status = body.wait ? 'waiting' : 'running'
    if (body.wait?.answer) node.question = body.wait.answer
  },
  attempt_succeeded(run, body: AttemptOf & { port: string; output: Json; took_us: number; log?: KeptLog }, at) {
    const node = nodeOf(run, body.node)
    readLog(run, body)
    settle(node, body, 'succeeded', at)
    if (node.items && body.item !== undefined && body.item !== null) {
      if (!Array.isArray(node.output)) node.output = []
      node.output[body.item] = body.output
      node.items.done++
      endItems(node)
    } else Object.assign(node, { status: 'succeeded', port: body.port, output: body.output })
    delete node.question
  },
  attempt_failed(run, body: AttemptOf & { failure: Failure; retry_at?: number | null; took_us: number; log?: KeptLog }, at) {
    const node = nodeOf(run, body.node)
    readLog(run, body)
    const attempt = settle(node, body, 'failed', at)
    attempt.failure = body.failure
    if (body.retry_at) attempt.retryAt = body.retry_at
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
  run_timed_out(run, body: { limit_ms: number }) {
    run.timedOut = body.limit_ms
  },
  attempt_cancelled(run, body: AttemptOf, at) {
    const node = nodeOf(run, body.node)
    Object.assign(attemptOf(node, body), { status: 'cancelled', endedAt: at })
    node.status = 'cancelled'
    delete node.question
  },
  run_finished(run, body: { status: RunStatus; outputs?: Json; failure?: RunLive['failure']; uncompensated?: string[] }, at) {
    Object.assign(run, { status: body.status, finishedAt: at, outputs: body.outputs, failure: body.failure, uncompensated: body.uncompensated })
  },
}

interface WaitEvent {
  until?: { at: number }
  answer?: Question
  child?: { run: string }
}
function waitOf(wait: WaitEvent): Wait {
  if (wait.child) return { kind: 'run', run: wait.child.run }
  return wait.answer ? { kind: 'answer' } : { kind: 'time', until: wait.until?.at }
}

function settle(node: NodeRun, body: AttemptOf & { took_us: number }, status: 'succeeded' | 'failed', at: number): Attempt {
  const attempt = attemptOf(node, body)
  attempt.status = status
  attempt.tookMs = body.took_us / 1000
  attempt.endedAt = at
  // Nodes without capabilities journal only how they ended.
  attempt.startedAt ??= at - attempt.tookMs
  node.tookMs += attempt.tookMs
  delete node.progress
  return attempt
}

/** Lines that were not heard live are read in the journal: of a run that ended before anybody looked, all of them. */
function readLog(run: RunLive, { node, attempt, item, log }: AttemptOf & { log?: KeptLog }): void {
  if (!log?.lines.length) return
  const heard = (line: LogLine): boolean => line.node === node && line.attempt === attempt && !line.kept
  const known = run.logs.filter(heard).length
  const ofItem = item !== undefined && item !== null
  // Live lines do not say which item they are of.
  if (known >= log.lines.length + (log.left_out ?? 0) || (ofItem && known)) return
  const before = log.left_out ? [{ level: 'debug', message: `⋯ +${log.left_out}` }] : []
  const lines = [...before, ...log.lines].map((line) => ({ node, attempt, kept: true, ...line }))
  run.logs = [...run.logs.filter((line) => !heard(line)), ...lines].slice(-keptLines)
}

/** A node with items has settled when all of them have; what the server says in the end has the last word. */
function endItems(node: NodeRun): void {
  if (node.items && node.items.done + node.items.failed >= node.items.total) node.status = node.items.failed ? 'failed' : 'succeeded'
}

/** Takes one event of a live stream into the state, in place: a run of hundreds of nodes sends thousands. */
export function takeIn(run: RunLive, kind: string, data: unknown, now?: number): void {
  const told = data as { sequence: number; at: number; event: Record<string, never> } & AttemptOf & LogLine & { fraction?: number; message?: string }
  if (kind === 'event') {
    // A stream that was taken up again may repeat what is known.
    if (told.sequence <= run.sequence) return
    run.sequence = told.sequence
    for (const [name, body] of Object.entries(told.event)) events[name]?.(run, body, told.at)
  } else if (kind === 'began') {
    const node = nodeOf(run, told.node)
    attemptOf(node, told).heardAt ??= now
    if (node.status !== 'waiting') node.status = 'running'
  } else if (kind === 'log') {
    run.logs.push(told)
    if (run.logs.length > keptLines) run.logs.splice(0, run.logs.length - keptLines)
  } else if (kind === 'progress') {
    nodeOf(run, told.node).progress = { fraction: told.fraction, message: told.message }
  }
}

export const hasEnded = (status: RunStatus): boolean => status === 'succeeded' || status === 'failed' || status === 'cancelled'
