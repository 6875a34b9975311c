import { describe, expect, it } from 'vitest'
import { byNext, hookAddress, knock, type OwnedTrigger } from './api'

const trigger = (name: string, more: Partial<OwnedTrigger> = {}): OwnedTrigger => ({ name, uses: 'cron', workflow: 'a', enabled: true, lacks: [], ...more })

describe('triggers', () => {
  it('stand in the order in which they fire; what is off comes last', () => {
    const all = byNext([trigger('off', { enabled: false, next: [1] }), trigger('hook', { uses: 'webhook' }), trigger('late', { next: [9] }), trigger('soon', { next: [3] })])
    expect(all.map(({ name }) => name)).toEqual(['soon', 'late', 'hook', 'off'])
  })

  it('have an address to knock at', () => {
    const address = hookAddress('https://x.org', '/hooks/local/nightly')
    expect(address).toBe('https://x.org/hooks/local/nightly')
    expect(knock(address, { method: 'GET', auth: 'none' })).toBe("curl -X GET 'https://x.org/hooks/local/nightly'")
    expect(knock(address, { method: 'POST', auth: 'bearer' })).toContain('Bearer SECRET')
  })
})
