import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { lackOf, placeOf } from './lacks'

/** The sentences are where the server makes them, with a hole where the name goes. */
const source = readFileSync(join(process.cwd(), '../engine/windflow-server/src/missing.rs'), 'utf8')
const sentences = [...source.matchAll(/format!\("([^"]*is not set[^"]*)"/g)].map(([, text]) => (text as string).replace(/\{\w+\}/g, 'knock'))

describe('what a trigger lacks', () => {
  it('is read out of every sentence that the server says of it, and leads to where it is set', () => {
    const lacks = sentences.map(lackOf)
    expect(lacks).toEqual([
      { kind: 'secret', name: 'knock' },
      { kind: 'credential', name: 'knock' },
    ])
    expect(lacks.map((lack) => lack && placeOf(lack).path)).toEqual(['/secrets', '/credentials'])
  })

  it('is nothing that can be named where the sentence is another', () => {
    expect(lackOf('the engine is asleep')).toBeUndefined()
  })
})
