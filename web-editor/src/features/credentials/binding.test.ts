import { describe, expect, it } from 'vitest'
import { bindingOf, blankDraft, draftOf, hostsOf, kindOf, problemsOf, type Binding } from './binding'

describe('the binding of a credential', () => {
  const all: Binding[] = ['bearer', 'url', { basic: { username: 'ada' } }, { header: { name: 'X-Api-Key' } }, { query: { name: 'key' } }, { oauth2: { token_url: 'https://a.org/token', grant: 'refresh_token', client_id: 'flow', scopes: ['read', 'write'], audience: 'them', client_auth: 'body' } }, { hmac: { header: 'X-Sign', algorithm: 'sha512', encoding: 'base64' } }]
  it.each(all.map((bind) => [kindOf(bind), bind] as const))('comes out of the form as it went in: %s', (_, bind) => {
    expect(bindingOf(draftOf(bind, []))).toEqual(bind)
  })

  it('wants what its kind needs', () => {
    expect(Object.keys(problemsOf({ ...blankDraft(), kind: 'basic' }, 'team_slack', 'secret1'))).toEqual(['username', 'hosts'])
    expect(Object.keys(problemsOf({ ...blankDraft(), kind: 'url' }, 'Team Slack', 'short'))).toEqual(['credential', 'value'])
    expect(problemsOf({ ...blankDraft(), hosts: 'api.example.org' }, 'a', 'secret1')).toEqual({})
  })

  it('of a token server wants its address, and the name of a client that shows its own secret', () => {
    const draft = { ...blankDraft(), kind: 'oauth2' as const, hosts: 'api.example.org', tokenUrl: 'login.example.org' }
    expect(Object.keys(problemsOf(draft, 'crm', 'secret1'))).toEqual(['tokenUrl', 'clientId'])
    expect(problemsOf({ ...draft, tokenUrl: 'https://login.example.org/token', grant: 'refresh_token' }, 'crm', 'secret1')).toEqual({})
    expect(bindingOf({ ...draft, tokenUrl: ' https://login.example.org/token ', clientId: 'flow', scopes: 'read,  write' })).toEqual({
      oauth2: { token_url: 'https://login.example.org/token', grant: 'client_credentials', client_id: 'flow', scopes: ['read', 'write'], client_auth: 'basic' },
    })
  })

  it('reads hosts however they are separated', () => expect(hostsOf(' a.org, b.org\n\n*.c.org ')).toEqual(['a.org', 'b.org', '*.c.org']))
})
