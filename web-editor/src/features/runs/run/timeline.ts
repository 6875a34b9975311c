import type { Attempt, NodeRun, RunLive } from '@/domain/run-live'

/** One attempt, or the pause before the next, drawn to scale. Times are milliseconds since the run began. */
export interface Bar {
  from: number
  to: number
  kind: 'succeeded' | 'failed' | 'running' | 'cancelled' | 'waiting' | 'pause'
  attempt: number
  item?: number
  /** From 0; attempts that overlap are drawn below each other. */
  lane: number
}

export interface Row {
  node: string
  bars: Bar[]
  lanes: number
}

/** More lanes than this cannot be told apart in one row. */
const mostLanes = 5
/** Bars beyond this are not drawn: a node may have ten thousand items. */
const mostBars = 2000

function barOf(attempt: Attempt, start: number, now: number): Omit<Bar, 'lane'> | undefined {
  const began = attempt.startedAt ?? attempt.heardAt
  if (began === undefined) return undefined
  const from = Math.max(0, began - start)
  const open = attempt.status === 'running'
  const to = Math.max(from, (open ? now : (attempt.endedAt ?? began + (attempt.tookMs ?? 0))) - start)
  // A wait that was answered or is over is still a wait: nothing worked meanwhile.
  const kind = attempt.waits && attempt.status !== 'failed' && attempt.status !== 'cancelled' ? 'waiting' : attempt.status
  return { from, to, kind, attempt: attempt.attempt, ...(attempt.item !== undefined && { item: attempt.item }) }
}

function pauseOf(attempt: Attempt, start: number): Omit<Bar, 'lane'> | undefined {
  if (!attempt.retryAt || attempt.endedAt === undefined) return undefined
  return { from: attempt.endedAt - start, to: attempt.retryAt - start, kind: 'pause', attempt: attempt.attempt, ...(attempt.item !== undefined && { item: attempt.item }) }
}

function rowOf(node: string, run: NodeRun | undefined, start: number, now: number): Row {
  const attempts = (run?.attempts ?? []).slice(0, mostBars)
  const bars = attempts
    .flatMap((attempt) => [barOf(attempt, start, now), pauseOf(attempt, start)])
    .filter((bar) => bar !== undefined)
    .sort((a, b) => a.from - b.from)
  const ends: number[] = []
  const placed = bars.map((bar): Bar => {
    let lane = ends.findIndex((end) => end <= bar.from)
    if (lane < 0) lane = ends.length < mostLanes ? ends.length : ends.indexOf(Math.min(...ends))
    ends[lane] = Math.max(bar.to, ends[lane] ?? 0)
    return { ...bar, lane }
  })
  return { node, bars: placed, lanes: Math.max(1, ends.length) }
}

/** The attempts of all nodes, in the order given. */
export function rowsOf(run: RunLive, nodes: readonly string[], now: number): Row[] {
  const start = run.startedAt ?? now
  return nodes.map((node) => rowOf(node, run.nodes[node], start, now))
}

/** Where time is on the drawing, from 0 to 1. */
export interface Scale {
  place(ms: number): number
  /** Marks below which a time is written. */
  ticks: number[]
  /** Stretches in which only waiting happened, drawn shorter than they were. */
  cuts: { from: number; to: number }[]
}

const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5, 72e5, 216e5, 432e5, 864e5]

/** Moments at round distances, at most `most` of them, the begin among them. */
export function ticksOf(total: number, most = 7): number[] {
  const day = 864e5
  const step = steps.find((one) => total / one < most) ?? Math.ceil(total / most / day) * day
  return Array.from({ length: Math.floor(total / step) + 1 }, (_, at) => at * step)
}

/** A stretch without work is cut out where it takes more than this share of the drawing, and this long in milliseconds. */
const longWait = { share: 0.2, ms: 10_000 }
/** What a cut takes instead. */
const cutShare = 0.06

/** The stretches in which nothing worked: people and clocks were waited for. */
function idle(rows: readonly Row[], total: number): { from: number; to: number }[] {
  const busy = rows
    .flatMap(({ bars }) => bars)
    .filter(({ kind }) => kind !== 'waiting' && kind !== 'pause')
    .sort((a, b) => a.from - b.from)
  const gaps: { from: number; to: number }[] = []
  let until = 0
  for (const bar of busy) {
    if (bar.from > until) gaps.push({ from: until, to: bar.from })
    until = Math.max(until, bar.to)
  }
  if (total > until) gaps.push({ from: until, to: total })
  return gaps
}

/** To scale from the begin to the end; with `cutWaits`, long waits are drawn short and marked as cut. */
export function scaleOf(rows: readonly Row[], total: number, cutWaits: boolean, mostTicks?: number): Scale {
  const whole = Math.max(total, 1)
  const cuts = cutWaits ? idle(rows, whole).filter(({ from, to }) => to - from > longWait.ms && (to - from) / whole > longWait.share) : []
  const cutTime = cuts.reduce((sum, { from, to }) => sum + to - from, 0)
  const kept = Math.max(whole - cutTime, 1e-9)
  const room = 1 - cuts.length * cutShare
  const place = (ms: number): number => {
    let work = Math.min(Math.max(ms, 0), whole)
    let share = 0
    for (const { from, to } of cuts) {
      if (ms <= from) break
      const inside = Math.min(ms, to) - from
      work -= inside
      share += (inside / (to - from)) * cutShare
    }
    return (work / kept) * room + share
  }
  const ticks = cuts.length ? marksBetween(cuts, whole) : ticksOf(whole, mostTicks)
  return { place, ticks, cuts }
}

/** With cuts, round distances mean little: the begin, the end, and the edges of what was cut. */
const marksBetween = (cuts: { from: number; to: number }[], total: number): number[] =>
  [...new Set([0, ...cuts.flatMap(({ from, to }) => [from, to]), total])].sort((a, b) => a - b)
