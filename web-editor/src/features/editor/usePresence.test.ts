import { expect, it } from 'vitest'
import { together } from './usePresence'

const one = (person: string, name: string, since: number, self = false, editing = false) => ({ person, name, since, self, editing })

it('all windows of somebody are one, who changes something where any of them does', () => {
  expect(together([one('a', 'Ada', 3, true), one('b', 'Ben', 2), one('a', 'Ada', 1, true, true)])).toEqual([one('b', 'Ben', 2), one('a', 'Ada', 1, true, true)])
  expect(together([one('b', 'Ben', 5), one('b', 'Ben', 2, false, true)])).toEqual([one('b', 'Ben', 2, false, true)])
})

it('two of the same name are two, also where one of them is oneself', () => {
  const all = [one('b', 'Ada', 2), one('c', 'Ada', 1), one('a', 'Ada', 3, true)]
  expect(together(all)).toEqual(all)
})
