import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { EditorState } from '@codemirror/state'
import { describe, expect, it } from 'vitest'
import { i18n } from '@/i18n'
import { french, phrases } from './phrases'

/** The parts of CodeMirror that the editors are made of. */
const parts = ['autocomplete', 'commands', 'language', 'lint', 'merge', 'search', 'view']
const texts = parts.map((part) => readFileSync(join(process.cwd(), `node_modules/@codemirror/${part}/dist/index.js`), 'utf8'))
const called = texts.flatMap((text) => [...text.matchAll(/\bphrase\((?:view, )?([^()]*?"[^()]*?)[,)]/g)]).flatMap(([, given]) => [...(given ?? '').matchAll(/"([^"]+)"/g)].map(([, phrase]) => phrase as string))

describe('the words of CodeMirror', () => {
  it('are there in French, all that it has', () => {
    expect(called.length).toBeGreaterThan(25)
    // What stands in a comparison of texts is said by the comparison.
    const ours = ['$ unchanged lines', 'Accept', 'Reject']
    expect([...new Set(called)].filter((phrase) => !(phrase in french) && !ours.includes(phrase))).toEqual([])
  })

  it('are told in the language of the page', () => {
    const state = () => EditorState.create({ extensions: [phrases()] })
    expect(state().phrase('replaced $ matches', 3)).toBe('replaced 3 matches')
    i18n.global.locale.value = 'fr'
    try {
      expect(state().phrase('replaced $ matches', 3)).toBe('3 résultats remplacés')
    } finally {
      i18n.global.locale.value = 'en'
    }
  })
})
