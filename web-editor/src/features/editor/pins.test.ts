import { beforeEach, describe, expect, it } from 'vitest'
import { createPins } from './pins'

beforeEach(() => localStorage.clear())

describe('pins', () => {
  it('are kept for each workflow, renamed with their node, and sent for nodes that there are', () => {
    const pins = createPins('local', 'a')
    expect(pins.pin('fetch', { port: 'out', output: { status: 200 } })).toBe(true)
    pins.pin('gone', { port: 'out', output: null })
    pins.rename('fetch', 'ask')
    const again = createPins('local', 'a')
    expect(again.of([{ id: 'ask' }, { id: 'other' }])).toEqual({ ask: { port: 'out', output: { status: 200 } } })
    expect(createPins('local', 'b').all.value).toEqual({})
    again.unpin('ask')
    again.unpin('gone')
    expect(localStorage.length).toBe(0)
  })

  it('refuse what is too large, and survive what somebody else wrote', () => {
    const pins = createPins('local', 'a')
    expect(pins.pin('big', { port: 'out', output: 'x'.repeat(600_000) })).toBe(false)
    expect(pins.all.value).toEqual({})
    localStorage.setItem('windflow.pins.local.c', '{"a": 5}')
    expect(createPins('local', 'c').all.value).toEqual({})
    localStorage.setItem('windflow.pins.local.c', '[')
    expect(createPins('local', 'c').all.value).toEqual({})
  })
})
