import { describe, expect, it } from 'vitest'
import { fits, foldersWithin, isPacked, readFolder, readTags, tagsOf, trail, type Wanted } from './library'

const item = (name: string, folder: string | null, ...tags: string[]) => ({ name, folder, tags, enabled: name !== 'off', description: 'Looks after a site.' })
const items = [item('a', 'ops/nightly', 'web', 'slow'), item('b', 'ops', 'web'), item('c', 'operations'), item('off', null)]
const wanted = (extra: Partial<Wanted>): Wanted => ({ words: '', state: 'all', folder: '', tag: '', ...extra })
const names = (extra: Partial<Wanted>) => items.filter((one) => fits(one, wanted(extra))).map(({ name }) => name)

describe('the library', () => {
  it('filters by folder with those within, tag, state and words', () => {
    expect(names({})).toEqual(['a', 'b', 'c', 'off'])
    expect(names({ folder: 'ops' })).toEqual(['a', 'b'])
    expect(names({ tag: 'web', words: 'SLOW site' })).toEqual(['a'])
    expect(names({ state: 'disabled' })).toEqual(['off'])
  })

  it('knows what an archive would hold for the same search', () => {
    const inArchive = (extra: Partial<Wanted>) => items.filter((one) => isPacked(one, wanted(extra))).map(({ name }) => name)
    expect(inArchive({ words: ' After a SITE', folder: 'ops' })).toEqual(names({ words: 'after a site', folder: 'ops' }))
    // The list looks for each word, and in tags; the server does not.
    expect([names({ words: 'site looks' }).length, inArchive({ words: 'site looks' }).length]).toEqual([4, 0])
    expect([names({ words: 'slow' }), inArchive({ words: 'slow' })]).toEqual([['a'], []])
    expect(inArchive({ state: 'enabled' })).toContain('off')
  })

  it('knows what is in a folder', () => {
    expect(foldersWithin(items, '')).toEqual([
      { name: 'operations', path: 'operations', count: 1 },
      { name: 'ops', path: 'ops', count: 2 },
    ])
    expect(foldersWithin(items, 'ops')).toEqual([{ name: 'nightly', path: 'ops/nightly', count: 1 }])
    expect(trail('ops/nightly')).toEqual([
      { name: 'ops', path: 'ops' },
      { name: 'nightly', path: 'ops/nightly' },
    ])
  })

  it('counts tags, and reads what people write', () => {
    expect(tagsOf(items)[0]).toEqual({ name: 'web', count: 2 })
    expect(readTags(' web, slow,,web ')).toEqual(['web', 'slow'])
    expect(readFolder('/ops / nightly/')).toBe('ops/nightly')
  })
})
