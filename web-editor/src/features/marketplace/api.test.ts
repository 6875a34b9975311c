import { describe, expect, it } from 'vitest'
import { freeName, nextVersion, pageOf } from './api'

describe('templates', () => {
  it('are installed under a name that nothing has', () => {
    expect(freeName('shop', new Set())).toBe('shop')
    expect(freeName('shop', new Set(['shop', 'shop-2']))).toBe('shop-3')
  })
  it('go from version to version', () => {
    expect([nextVersion('1.2.3'), nextVersion('0.9.0'), nextVersion('2.0.0-rc.1'), nextVersion('what')]).toEqual(['1.3.0', '0.10.0', '2.1.0', 'what'])
  })
  it('of other registries have it in their address', () => {
    expect(pageOf({ name: 'shop', registry: 'windflow', official: true })).toEqual({ path: '/marketplace/templates/shop' })
    expect(pageOf({ name: 'shop', registry: 'acme', official: false })).toEqual({ path: '/marketplace/templates/shop', query: { registry: 'acme' } })
  })
})
