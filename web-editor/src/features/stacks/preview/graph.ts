import type { Condition, Project } from '../project'

export interface Placed {
  name: string
  x: number
  y: number
}
export interface Link {
  from: string
  to: string
  condition: Condition
  /** A curve of SVG from the one that is needed to the one that needs it. */
  path: string
}

export const box = { width: 150, height: 46, gapX: 54, gapY: 16, margin: 2 }

/** Services from left to right in the order in which they can start, with what waits for what. */
export function graphOf(project: Pick<Project, 'services'>): { nodes: Placed[]; links: Link[]; width: number; height: number } {
  const names = Object.keys(project.services)
  const needs = (name: string) => Object.keys(project.services[name]?.depends_on ?? {}).filter((other) => other in project.services)
  const columns = new Map<string, number>()
  // A document whose services wait for each other is refused elsewhere; here it only has to end.
  const column = (name: string, above: readonly string[]): number => {
    const known = columns.get(name)
    if (known !== undefined) return known
    if (above.includes(name)) return 0
    const at = Math.max(-1, ...needs(name).map((other) => column(other, [...above, name]))) + 1
    columns.set(name, at)
    return at
  }
  const rows: number[] = []
  const nodes = names.map((name) => {
    const at = column(name, [])
    const row = (rows[at] ?? -1) + 1
    rows[at] = row
    return { name, x: box.margin + at * (box.width + box.gapX), y: box.margin + row * (box.height + box.gapY) }
  })
  const places = new Map(nodes.map((node) => [node.name, node]))
  const links = names.flatMap((to) =>
    needs(to).flatMap((from): Link[] => {
      const [a, b] = [places.get(from), places.get(to)]
      const condition = project.services[to]?.depends_on[from]?.condition ?? 'started'
      if (!a || !b) return []
      const [x1, y1, x2, y2] = [a.x + box.width, a.y + box.height / 2, b.x, b.y + box.height / 2]
      const bend = Math.max(24, (x2 - x1) / 2)
      // What is in between on the same row is gone round.
      const drop = y1 === y2 && x2 - x1 > box.gapX ? box.height : 0
      return [{ from, to, condition, path: `M${x1} ${y1} C${x1 + bend} ${y1 + drop} ${x2 - bend} ${y2 + drop} ${x2 - 5} ${y2}` }]
    }),
  )
  return {
    nodes,
    links,
    width: Math.max(0, ...nodes.map(({ x }) => x)) + box.width + box.margin,
    height: Math.max(0, ...nodes.map(({ y }) => y)) + box.height + box.gapY,
  }
}
