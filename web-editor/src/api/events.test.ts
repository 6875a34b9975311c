import { describe, expect, it } from 'vitest'
import { EventParser } from './events'

describe('EventParser', () => {
  it('puts together events that arrive in pieces', () => {
    const parser = new EventParser()
    expect(parser.push('event: event\nid: 4\nda')).toEqual([])
    expect(parser.push('ta: {"a":1}\n\nevent: end\ndata: {}\n')).toEqual([{ event: 'event', id: '4', data: '{"a":1}' }])
    expect(parser.push('\n')).toEqual([{ event: 'end', data: '{}' }])
  })

  it('leaves out comments that only keep the connection open', () => {
    expect(new EventParser().push(': here\n\n')).toEqual([])
  })

  it('joins several lines of data', () => {
    expect(new EventParser().push('data: a\ndata: b\n\n')).toEqual([{ event: 'message', data: 'a\nb' }])
  })
})
