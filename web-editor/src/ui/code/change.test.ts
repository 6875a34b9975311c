import { expect, it } from 'vitest'
import { smallestChange } from './change'

it.each([
  ['abc', 'abc', undefined],
  ['abc', 'abXc', { from: 2, to: 2, insert: 'X' }],
  ['aaa', 'aa', { from: 2, to: 3, insert: '' }],
  ['', 'x', { from: 0, to: 0, insert: 'x' }],
  ['one two', 'one 2', { from: 4, to: 7, insert: '2' }],
])('from %j to %j', (before, after, change) => {
  expect(smallestChange(before, after)).toEqual(change)
  if (change) expect(before.slice(0, change.from) + change.insert + before.slice(change.to)).toBe(after)
})
