import { card } from '@/domain/arrange'
import { startId } from './mapping'

interface Size {
  width: number
  height: number
}
interface Drawn {
  id: string
  position: { x: number; y: number }
  dimensions?: Size
}
export interface View {
  x: number
  y: number
  zoom: number
}

/** Room around all of it, as a part of its size. */
const margin = 0.18
const [least, most] = [0.08, 1]
/** Below this, letters cannot be read; from this on, they can. */
const [tooSmall, readable] = [0.3, 0.7]

function around(nodes: readonly Drawn[]): { x: number; y: number } & Size {
  const x = Math.min(...nodes.map(({ position }) => position.x))
  const y = Math.min(...nodes.map(({ position }) => position.y))
  const size = ({ dimensions }: Drawn) => dimensions ?? { width: card.width, height: 60 }
  return { x, y, width: Math.max(...nodes.map((one) => one.position.x + size(one).width)) - x, height: Math.max(...nodes.map((one) => one.position.y + size(one).height)) - y }
}

/** All of a drawing in the middle of its place, never larger than it is. */
export function wholeView(nodes: readonly Drawn[], place: Size): View {
  const box = around(nodes)
  const zoom = Math.min(Math.max(Math.min(place.width / (box.width * (1 + margin)), place.height / (box.height * (1 + margin))), least), most)
  return { x: place.width / 2 - (box.x + box.width / 2) * zoom, y: place.height / 2 - (box.y + box.height / 2) * zoom, zoom }
}

/** How a drawing opens: as a whole, or where it begins if that cannot be read. */
export function firstView(nodes: readonly Drawn[], place: Size): View {
  const whole = wholeView(nodes, place)
  const start = nodes.find(({ id }) => id === startId)
  if (whole.zoom > tooSmall || !start) return whole
  return { x: 90 - start.position.x * readable, y: place.height / 2 - (start.position.y + 30) * readable, zoom: readable }
}
