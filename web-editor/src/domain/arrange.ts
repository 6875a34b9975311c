import type { EdgeView, Position, WorkflowView } from './workflow'

/** The size of a node's card on the canvas, and the room between two columns and two rows. */
export const card = { width: 192, height: 60 } as const
export const step = { x: 256, y: 104 } as const

/** Columns by the longest way from a start. A circle, which is being mended, ends where it began. */
function columns(ids: readonly string[], edges: readonly Pick<EdgeView, 'from' | 'to'>[]): Map<string, number> {
  const incoming = new Map<string, string[]>(ids.map((id) => [id, []]))
  for (const { from, to } of edges) if (incoming.has(from)) incoming.get(to)?.push(from)
  const column = new Map<string, number>()
  const open = new Set<string>()
  const visit = (id: string): number => {
    const known = column.get(id)
    if (known !== undefined) return known
    if (open.has(id)) return 0
    open.add(id)
    const value = Math.max(-1, ...(incoming.get(id) ?? []).map(visit)) + 1
    open.delete(id)
    column.set(id, value)
    return value
  }
  ids.forEach(visit)
  return column
}

/** A place for every node: where the file says so, else beside what it follows, and on top of no other. */
export function positions(workflow: Pick<WorkflowView, 'nodes' | 'edges' | 'layout'>): Map<string, Position> {
  const ids = workflow.nodes.map((node) => node.id)
  const placed = new Map<string, Position>()
  for (const id of ids) {
    const at = workflow.layout[id]
    if (at) placed.set(id, at)
  }
  if (placed.size === ids.length) return placed

  const column = columns(ids, workflow.edges)
  const before = new Map<string, string[]>()
  for (const { from, to } of workflow.edges) before.set(to, [...(before.get(to) ?? []), from])
  const left = Math.min(0, ...[...placed.values()].map(([x]) => x))
  const all = [...placed.values()]
  const free = new Map<string, number>()
  const taken = (x: number, y: number) =>
    all.some(([otherX, otherY]) => Math.abs(otherX - x) < card.width + 16 && Math.abs(otherY - y) < card.height + 24)

  for (const id of [...ids].sort((a, b) => (column.get(a) ?? 0) - (column.get(b) ?? 0))) {
    if (placed.has(id)) continue
    const sources = (before.get(id) ?? []).map((source) => placed.get(source)).filter((at) => at !== undefined)
    const x = sources.length ? Math.max(...sources.map(([at]) => at)) + step.x : left + (column.get(id) ?? 0) * step.x
    const wanted = sources.length ? Math.round(sources.reduce((sum, [, at]) => sum + at, 0) / sources.length) : 0
    // Many want the same place: the search goes on where the last one ended.
    const spot = `${x} ${wanted}`
    let y = free.get(spot) ?? wanted
    while (taken(x, y)) y += step.y
    free.set(spot, y + step.y)
    placed.set(id, [x, y])
    all.push([x, y])
  }
  return placed
}

export type Side = 'left' | 'center' | 'right' | 'top' | 'middle' | 'bottom'

/** Lines up chosen nodes at their common edge or middle. All cards are of one size. */
export function align(chosen: ReadonlyMap<string, Position>, side: Side): Record<string, Position> {
  const xs = [...chosen.values()].map(([x]) => x)
  const ys = [...chosen.values()].map(([, y]) => y)
  const middle = (values: number[]) => Math.round((Math.min(...values) + Math.max(...values)) / 2)
  const to: Record<Side, (at: Position) => Position> = {
    left: ([, y]) => [Math.min(...xs), y],
    center: ([, y]) => [middle(xs), y],
    right: ([, y]) => [Math.max(...xs), y],
    top: ([x]) => [x, Math.min(...ys)],
    middle: ([x]) => [x, middle(ys)],
    bottom: ([x]) => [x, Math.max(...ys)],
  }
  return Object.fromEntries([...chosen].map(([id, at]) => [id, to[side](at)]))
}

/** Gives chosen nodes the same distance in one direction; the outermost stay. */
export function distribute(chosen: ReadonlyMap<string, Position>, axis: 0 | 1): Record<string, Position> {
  const sorted = [...chosen].sort(([, a], [, b]) => a[axis] - b[axis])
  const first = sorted[0]?.[1][axis] ?? 0
  const last = sorted.at(-1)?.[1][axis] ?? 0
  const gap = sorted.length > 1 ? (last - first) / (sorted.length - 1) : 0
  return Object.fromEntries(
    sorted.map(([id, at], index) => {
      const value = Math.round(first + gap * index)
      return [id, axis === 0 ? [value, at[1]] : [at[0], value]]
    }),
  )
}
