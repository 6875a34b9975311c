import { describe, expect, it } from 'vitest'
import { takeIn, type TargetStatus } from './useStatuses'

const status = (target: string, status = 'reached') => JSON.stringify({ target, status, since: 1 })

describe('what is told of targets', () => {
  it('takes the place of what was told before; what is not told anew after a break is gone', () => {
    const known = new Map<string, TargetStatus>()
    const fresh = new Set<string>()
    const told = () => [...known.values()].map((one) => `${one.target} ${one.status}`)
    takeIn(known, fresh, 'target', status('a', 'checking'))
    takeIn(known, fresh, 'target', status('b', 'checking'))
    takeIn(known, fresh, 'all', '{}')
    takeIn(known, fresh, 'target', status('a'))
    expect(told()).toEqual(['a reached', 'b checking'])
    takeIn(known, fresh, 'removed', '{"target":"a"}')
    takeIn(known, fresh, 'something_new', '{}')
    expect(told()).toEqual(['b checking'])

    // The stream broke, and began anew.
    fresh.clear()
    takeIn(known, fresh, 'target', status('c'))
    expect(told()).toEqual(['b checking', 'c reached'])
    takeIn(known, fresh, 'all', '{}')
    expect(told()).toEqual(['c reached'])
  })
})
