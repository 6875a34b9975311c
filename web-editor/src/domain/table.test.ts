import { expect, it } from 'vitest'
import { tableOf } from './table'

it('makes rows of a list of objects, with the columns of all', () => {
  expect(tableOf([{ a: 1 }, { b: 'x', a: null }])).toEqual({ columns: ['a', 'b'], rows: [['1', ''], ['null', 'x']] })
})
it('makes nothing of other lists', () => {
  expect(tableOf([1, 2])).toBeUndefined()
  expect(tableOf([])).toBeUndefined()
  expect(tableOf('text')).toBeUndefined()
})
it('stays small', () => expect(tableOf(Array.from({ length: 5000 }, (_, at) => ({ at })))?.rows).toHaveLength(200))
