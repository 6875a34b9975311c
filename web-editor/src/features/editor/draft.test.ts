import { describe, expect, it } from 'vitest'
import { beginning, noVersion } from './draft'

const saved = { text: 'saved', etag: '"7"', version: 2 }
const draft = { text: 'draft', etag: '"9"', at: 100, by: 'user:ada@example.org', basedOn: 2 }
const local = { text: 'local', etag: '"7"', seen: '"9"', at: 200 }

describe('an editor begins', () => {
  it('with what was saved, where there is nothing else', () => {
    expect(beginning(saved, undefined, undefined)).toEqual({ texts: ['saved'], etag: '"7"', seen: undefined })
    expect(beginning(saved, { ...draft, text: 'saved' }, { ...local, text: 'saved' })).toEqual({ texts: ['saved'], etag: '"7"', seen: '"9"' })
  })

  it('with the newest of what was not, and the others as steps back', () => {
    expect(beginning(saved, draft, local)).toEqual({ texts: ['saved', 'draft', 'local'], etag: '"7"', seen: '"9"', from: 'browser' })
    expect(beginning(saved, { ...draft, at: 300 }, local)).toEqual({ texts: ['saved', 'local', 'draft'], etag: '"7"', seen: '"9"', from: 'server' })
  })

  it('with a tag that is refused, where somebody saved or kept something since', () => {
    expect(beginning({ ...saved, etag: '"8"', version: 3 }, draft, undefined).etag).toBe(noVersion)
    expect(beginning({ ...saved, etag: '"8"', version: 3 }, undefined, local).etag).toBe('"7"')
    expect(beginning(saved, { ...draft, etag: '"10"' }, local).seen).toBe('"9"')
  })

  it('with a draft of what is not there yet', () => {
    expect(beginning({ text: 'empty', etag: '' }, { ...draft, basedOn: null }, undefined)).toEqual({ texts: ['empty', 'draft'], etag: '', seen: '"9"', from: 'server' })
    // The draft that was seen is gone: there is nothing to keep over.
    expect(beginning(saved, undefined, local).seen).toBeUndefined()
  })
})
