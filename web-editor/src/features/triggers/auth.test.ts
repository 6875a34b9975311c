import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import en from './i18n/en.json'
import fr from './i18n/fr.json'

/** What a webhook can ask its callers to show, as the engine calls it. */
const source = readFileSync(join(process.cwd(), '../engine/windflow-triggers/src/auth.rs'), 'utf8').split('#[cfg(test)]')[0] ?? ''
const kinds = [...source.matchAll(/Self::\w+(?: \{ \.\. \}|\(_\))? => "([a-z]+)"/g)].map(([, kind]) => kind as string)

describe('how a webhook knows its callers', () => {
  it.each([['English', en], ['French', fr]])('is told of each way in %s', (_, texts) => {
    expect(kinds).toContain('header')
    expect(Object.keys(texts.auth).sort()).toEqual([...kinds].sort())
  })
})
