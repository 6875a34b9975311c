import { describe, expect, it } from 'vitest'
import { bindingOf, blankDraft, draftOf, hostsOf, kindOf, problemsOf, type Binding } from './binding'

describe('the binding of a credential', () => {
  const all: Binding[] = ['bearer', 'url', { basic: { username: 'ada' } }, { header: { name: 'X-Api-Key' } }, { query: { name: 'key' } }, { hmac: { header: 'X-Sign', algorithm: 'sha512', encoding: 'base64' } }]
  it.each(all.map((bind) => [kindOf(bind), bind] as const))('comes out of the form as it went in: %s', (_, bind) => {
    expect(bindingOf(draftOf(bind, []))).toEqual(bind)
  })

  it('wants what its kind needs', () => {
    expect(Object.keys(problemsOf({ ...blankDraft(), kind: 'basic' }, 'team_slack', 'secret1'))).toEqual(['username', 'hosts'])
    expect(Object.keys(problemsOf({ ...blankDraft(), kind: 'url' }, 'Team Slack', 'short'))).toEqual(['credential', 'value'])
    expect(problemsOf({ ...blankDraft(), hosts: 'api.example.org' }, 'a', 'secret1')).toEqual({})
  })

  it('reads hosts however they are separated', () => expect(hostsOf(' a.org, b.org\n\n*.c.org ')).toEqual(['a.org', 'b.org', '*.c.org']))
})
