import { describe, expect, it } from 'vitest'
import en from '../i18n/en.json'
import { adviceOn } from './advice'

const kinds = ['node', 'expression', 'invalid_config', 'denied', 'timeout', 'out_of_memory', 'limit_exceeded', 'trap', 'invalid_output', 'cancelled', 'outcome_unknown', 'unavailable']
const text = (key: string) => key.split('.').slice(1).reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], en)

describe('what to do about a failure', () => {
  it.each(kinds)('has words for %s', (kind) => {
    const advice = adviceOn({ kind, code: kind, message: '' })
    expect(text(advice.what)).toBeTypeOf('string')
    expect(text(advice.remedy)).toBeTypeOf('string')
  })

  it('knows more about some codes', () => {
    for (const code of ['connection', 'http_status', 'invalid_json', 'too_large', 'token_invalid', 'token_refused', 'token_unavailable'])
      expect(text(adviceOn({ kind: 'node', code, message: '' }).remedy)).toBeTypeOf('string')
    expect(adviceOn({ kind: 'denied', code: 'denied', message: '' }).place).toBe('permissions')
    expect(adviceOn({ kind: 'node', code: 'token_refused', message: '' }).place).toBe('credentials')
  })

  it('does not fail on kinds of later releases', () => {
    expect(adviceOn({ kind: 'melted', code: 'x', message: '' }).what).toBe('runs.why.node')
  })
})
