import { describe, expect, it } from 'vitest'
import { advance, begin, redo, undo } from './history'

describe('history', () => {
  it('goes back and forth over the same texts', () => {
    const written = advance(advance(begin('a'), 'b'), 'c')
    expect(undo(written).present).toBe('b')
    expect(undo(undo(undo(written))).present).toBe('a')
    expect(redo(redo(undo(undo(written)))).present).toBe('c')
  })

  it('takes letters of one go as one step', () => {
    const typed = ['h', 'he', 'hey'].reduce((history, text) => advance(history, text, 'typing 1'), begin(''))
    expect(undo(typed).present).toBe('')
    expect(undo(advance(typed, 'hey!', 'typing 2')).present).toBe('hey')
  })

  it('has no future after a new step', () => {
    expect(redo(advance(undo(advance(begin('a'), 'b')), 'c')).present).toBe('c')
  })

  it('does not count what changes nothing', () => {
    expect(advance(begin('a'), 'a').past).toEqual([])
  })
})
