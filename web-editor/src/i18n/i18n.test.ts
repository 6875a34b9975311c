import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import said from '@/ui/said/fr.json'
import { french as remedies } from '@/ui/said/remedies'
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

/** French of node types, as plugins, what plugins begin with, and the engine itself write it. */
const root = join(process.cwd(), '..')
const read = (...path: string[]) => readFileSync(join(root, ...path), 'utf8')
const folders = [...readdirSync(join(root, 'plugins')).map((name) => `plugins/${name}`), 'sdk/template/rust', 'sdk/examples/words']
const manifests = folders.flatMap((folder) => [...read(folder, 'plugin.toml').matchAll(/\bfr = ("(?:[^"\\]|\\.)*")/g)])
const native = [...read('engine/windflow-core/src/native/plugin.json').matchAll(/"fr":\s*("(?:[^"\\]|\\.)*")/g)]
const quoted = [...manifests, ...native].map(([, text]) => JSON.parse(text as string) as string)

/**
 * What French writes otherwise: a narrow space that does not break before `;`, `!` and `?`, one of full width before `:` and `»` and after `«`, and a curved
 * apostrophe. Code is written as it is.
 */
function misspaced(text: string): string[] {
  const prose = text.replaceAll(/`[^`]*`/g, '`').replaceAll(/\b\w+:\/\/\S*|\b(?:Authorization|bind|hosts): /g, '')
  return [...prose.matchAll(/[^\u202f;!?][;!?](?!\w)|[^\u00a0][:»](?!\w)|«[^\u00a0]|[\p{L}\p{N}]'(?=[\p{L}\p{N}`])/gu)].map(([found]) => found)
}

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

  it('have the spaces of French before its signs, and its apostrophes', () => {
    expect(['Vraiment ?', 'Oui : non', '« Oui »', 'Vraiment\u00a0?', 'Bien!', "l'un", "l'`un`"].filter((text) => !misspaced(text).length)).toEqual([])
    const all = [...flat(fr).values(), ...flat(said as Texts).values(), ...remedies.map(([, says]) => says), ...quoted]
    expect(all.length).toBeGreaterThan(1500)
    expect(all.flatMap((text) => misspaced(text).map((found) => [found, text]))).toEqual([])
  })

  it('are those of the browser where nobody chose', () => {
    expect(preferredLanguage(['de', 'fr-CA', 'en'])).toBe('fr')
    expect(preferredLanguage(['de'])).toBe('en')
  })
})
