import { describe, expect, it } from 'vitest'
import { i18n } from '@/i18n'
import { duration, relative } from './format'

describe('duration', () => {
  it.each([
    [0.2, '<1 ms'],
    [23, '23 ms'],
    [1400, '1.4 s'],
    [59_960, '1 min'],
    [200_000, '3 min 20 s'],
    [7_500_000, '2 h 5 min'],
    [273_600_000, '3 d 4 h'],
    [Number.NaN, '–'],
  ])('of %d ms', (ms, text) => expect(duration(ms)).toBe(text))

  it.each([
    [1400, '1,4 s'],
    [200_000, '3 min 20 s'],
    [273_600_000, '3 j 4 h'],
  ])('of %d ms in French', (ms, text) => expect(duration(ms, 'fr')).toBe(text))

  it('is told in the language of the page where none is said', () => {
    i18n.global.locale.value = 'fr'
    try {
      expect(duration(1400)).toBe('1,4 s')
    } finally {
      i18n.global.locale.value = 'en'
    }
  })
})

describe('relative', () => {
  it('speaks both languages', () => {
    expect(relative(0, 'en', 180_000)).toBe('3 minutes ago')
    expect(relative(180_000, 'fr', 0)).toBe('dans 3 minutes')
  })
})
