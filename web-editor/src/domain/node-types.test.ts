import { describe, expect, it } from 'vitest'
import { searchTypes, type NodeType } from './node-types'

const type = (uses: string, title: string, description: string) =>
  ({ uses, config: {}, type: { title: { en: title, fr: title }, description: { en: description, fr: description }, category: 'data' } }) as unknown as NodeType
const all = [
  type('template@1', 'Template', 'Writes a text, if there is one.'),
  type('condition@1', 'Condition', 'Goes on one way or the other.'),
  type('http@1', 'HTTP request', 'Sends a request.'),
  type('transform@1', 'Transform', 'Changes data with jq.'),
  type('script@1', 'Script', 'Runs JavaScript.'),
]
const found = (query: string) => searchTypes(all, query, 'en').map(({ uses }) => uses)

describe('the search for node types', () => {
  it.each([['if', 'condition@1'], ['set', 'transform@1'], ['code', 'script@1'], ['edit fields', 'transform@1'], ['curl', 'http@1'], ['Si', 'condition@1']])('knows what others call it: %s', (query, uses) => {
    expect(found(query)[0]).toBe(uses)
  })

  it('puts a title first, wants every word, and shows all where nothing is sought', () => {
    expect(found('tem')).toEqual(['template@1'])
    expect(found('http nothing')).toEqual([])
    expect(found(' ')).toHaveLength(all.length)
  })
})
