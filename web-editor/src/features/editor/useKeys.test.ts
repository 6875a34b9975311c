import { describe, expect, it } from 'vitest'
import { matches, readable } from './useKeys'

const press = (key: string, held: Partial<Record<'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey', boolean>> = {}) => ({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...held })

describe('keys', () => {
  it.each([
    [press('z', { ctrlKey: true }), 'mod+z', true],
    [press('Z', { metaKey: true, shiftKey: true }), 'mod+shift+z mod+y', true],
    [press('y', { ctrlKey: true }), 'mod+shift+z mod+y', true],
    [press('z', { ctrlKey: true }), 'mod+shift+z', false],
    [press('?', { shiftKey: true }), '?', true],
    [press('Delete'), 'delete backspace', true],
    [press('d'), 'mod+d', false],
    [press('+', { shiftKey: true }), '+', true],
  ])('%j is %s: %s', (event, keys, is) => expect(matches(event, keys)).toBe(is))
})

it('says which keys they are, the sign that separates them included', () => {
  expect(readable('shift+enter')).toEqual(['⇧', 'Enter'])
  expect(readable('+ =')).toEqual(['+'])
  expect(readable('shift++')).toEqual(['⇧', '+'])
})
