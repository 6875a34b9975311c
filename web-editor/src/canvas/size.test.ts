import { describe, expect, it } from 'vitest'
import { sizeOf } from './size'

describe('how much came over an edge', () => {
  it('is counted in items of a list', () => expect(sizeOf([1, 2], 'fr')).toEqual({ count: 2 }))

  it.each([
    ['ab', '4 bytes', '4\u00a0octets'],
    ['a'.repeat(1498), '1.5 kB', '1,5\u202fko'],
    ['a'.repeat(2_340_000), '2.3 MB', '2,3\u202fMo'],
  ])('is measured in the units of the language', (value, english, french) => {
    expect([sizeOf(value, 'en').bytes, sizeOf(value, 'fr').bytes]).toEqual([english, french])
  })
})
