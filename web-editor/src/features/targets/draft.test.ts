import { describe, expect, it } from 'vitest'
import { addressOf, blankDraft, bodyOf, draftOf, kindOf, problemsOf, wordsOf } from './draft'

const target = (address: string) => ({ name: 'edge', address, environment: 'production', groups: ['eu'], tags: ['a', 'b'], description: 'x', has_credentials: false, created_at: 0, updated_at: 0, updated_by: '' })

describe('the form of a target', () => {
  it.each(['unix:///var/run/docker.sock', 'tcp://edge.example.org:2376', 'tcp://[2001:db8::1]:2376', 'ssh://deploy@edge.example.org', 'ssh://deploy@edge.example.org:2222'])('gives back the address it was filled with: %s', (address) => {
    const draft = draftOf(target(address))
    expect(addressOf(draft)).toBe(address)
    expect(problemsOf(draft)).toEqual({})
    expect(bodyOf(draft)).toEqual({ name: 'edge', address, environment: 'production', groups: ['eu'], tags: ['a', 'b'], description: 'x' })
  })

  it('takes the usual port of an engine where none is written', () => expect(addressOf({ kind: 'tcp', path: '', host: 'edge', port: '' })).toBe('tcp://edge:2376'))

  it('sends secrets only where somebody wrote some, and none that another kind would need', () => {
    const draft = { ...blankDraft(), name: 'edge', kind: 'tcp' as const, host: 'edge', ca: ' PEM ', logins: [{ host: 'ghcr.io', username: 'ada', password: 'x' }, { host: '', username: 'left', password: '' }] }
    expect(bodyOf(draft).credentials).toEqual({ ca: 'PEM\n', registries: { 'ghcr.io': { username: 'ada', password: 'x' } } })
    expect(bodyOf({ ...draft, kind: 'ssh', logins: [] }).credentials).toBeUndefined()
    expect(bodyOf({ ...draft, kind: 'ssh', logins: [], sshKey: 'KEY\n', hostKeys: 'ssh-ed25519 AAAA' }).credentials).toEqual({ ssh_private_key: 'KEY\n', ssh_host_keys: 'ssh-ed25519 AAAA\n' })
  })

  it('says what is missing', () => {
    expect(Object.keys(problemsOf({ ...blankDraft(), name: 'Edge 1', path: 'docker.sock' }))).toEqual(['name', 'path'])
    expect(Object.keys(problemsOf({ ...blankDraft(), name: 'edge', kind: 'tcp', port: '70000' }))).toEqual(['host', 'port'])
  })

  it('reads words however they are separated', () => expect(wordsOf('a, b;c  a')).toEqual(['a', 'b', 'c']))
  it('knows the kinds', () => expect(['unix:///x', 'tcp://x:1', 'ssh://x'].map(kindOf)).toEqual(['socket', 'tcp', 'ssh']))
})
