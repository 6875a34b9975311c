import { expect, it } from 'vitest'
import { together } from './usePresence'

it('other windows of one’s own are one, which changes something where any of them does', () => {
  const one = (name: string, since: number, self: boolean, editing = false) => ({ name, since, self, editing })
  expect(together([one('Ada', 3, true), one('Ben', 2, false), one('Ada', 1, true, true)])).toEqual([one('Ben', 2, false), one('Ada', 1, true, true)])
  expect(together([one('Ben', 2, false)])).toEqual([one('Ben', 2, false)])
})
