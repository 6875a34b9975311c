import { describe, expect, it } from 'vitest'
import { changing, isArchive } from './archive'

describe('an archive', () => {
  it.each([
    ['workflows.tar.gz', true],
    ['Backup.TGZ', true],
    ['site-check.yaml', false],
    ['tar.gz.yaml', false],
  ])('is told by its name: %s', (name, is) => expect(isArchive({ name })).toBe(is))

  it('changes what is new and what is a next version', () =>
    expect(changing([{ outcome: 'created' }, { outcome: 'updated' }, { outcome: 'unchanged' }, { outcome: 'refused' }])).toBe(2))
})
