import { describe, expect, it } from 'vitest'
import { freeName, pageOf } from './api'

describe('templates', () => {
  it('are installed under a name that nothing has', () => {
    expect(freeName('shop', new Set())).toBe('shop')
    expect(freeName('shop', new Set(['shop', 'shop-2']))).toBe('shop-3')
  })
  it('of other registries have it in their address', () => {
    expect(pageOf({ name: 'shop', registry: 'windflow', official: true })).toEqual({ path: '/marketplace/templates/shop' })
    expect(pageOf({ name: 'shop', registry: 'acme', official: false })).toEqual({ path: '/marketplace/templates/shop', query: { registry: 'acme' } })
  })
})
