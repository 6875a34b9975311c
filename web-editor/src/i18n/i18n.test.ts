import { describe, expect, it } from 'vitest'
import { collect, type Texts } from './collect'
import enFiles from './en'
import frFiles from './fr'
import { preferredLanguage } from './index'

const [en, fr] = [collect(enFiles), collect(frFiles)]

const flat = (texts: Texts, prefix = ''): Map<string, string> =>
  new Map(
    Object.entries(texts).flatMap(([key, value]): [string, string][] =>
      typeof value === 'string' ? [[prefix + key, value]] : [...flat(value, `${prefix}${key}.`)],
    ),
  )
const holes = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]).sort()

/** Every key that the source names as a whole text. Keys that are put together are not seen here. */
const sources = import.meta.glob<string>('../**/*.{vue,ts}', { eager: true, query: '?raw', import: 'default' })
const used = new Set(
  Object.values(sources).flatMap((text) => [...text.matchAll(/(?<![\w.])\$?t\(\s*'([\w.]+)'/g)].map((found) => found[1] as string)),
)

describe('texts', () => {
  it('are there in both languages', () => {
    expect([...flat(fr).keys()].sort()).toEqual([...flat(en).keys()].sort())
  })

  it('have the same holes in both languages', () => {
    const french = flat(fr)
    for (const [key, text] of flat(en)) expect([key, ...new Set(holes(french.get(key) ?? ''))]).toEqual([key, ...new Set(holes(text))])
  })

  it('are all there that the source names', () => {
    const known = flat(en)
    expect([...used].filter((key) => !known.has(key))).toEqual([])
  })

  it('are those of the browser where nobody chose', () => {
    expect(preferredLanguage(['de', 'fr-CA', 'en'])).toBe('fr')
    expect(preferredLanguage(['de'])).toBe('en')
  })
})
