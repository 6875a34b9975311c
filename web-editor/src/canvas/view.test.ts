import { describe, expect, it } from 'vitest'
import { startId } from './mapping'
import { firstView, wholeView } from './view'

const at = (id: string, x: number, y: number) => ({ id, position: { x, y }, dimensions: { width: 192, height: 60 } })
const place = { width: 1000, height: 600 }

describe('the view of a drawing', () => {
  it('has a small one in the middle, as large as it is', () => {
    const { x, y, zoom } = wholeView([at('a', 100, 100)], place)
    expect(zoom).toBe(1)
    expect([x + 100 + 96, y + 100 + 30]).toEqual([500, 300])
  })

  it('shows all of a larger one, with room around it', () => {
    const { x, zoom } = wholeView([at('a', 0, 0), at('b', 2000, 0)], place)
    expect(zoom).toBeLessThan(0.5)
    expect(x).toBeGreaterThan(0)
    expect(x + 2192 * zoom).toBeLessThan(1000)
  })

  it('opens what cannot be read as a whole where it begins', () => {
    const nodes = [at(startId, -300, 0), at('a', 0, 0), at('b', 9000, 4000)]
    expect(firstView(nodes, place)).toEqual({ x: 300, y: 279, zoom: 0.7 })
    expect(firstView(nodes.slice(0, 2), place)).toEqual(wholeView(nodes.slice(0, 2), place))
  })
})
