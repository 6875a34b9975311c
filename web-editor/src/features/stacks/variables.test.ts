import { describe, expect, it } from 'vitest'
import { given, inLanguage, refusals, sample, undeclared, type Variable } from './variables'

const of = (type: Variable['type'], more: Partial<Variable> = {}): Variable => ({ name: 'X', type, ...more })

describe('the variables of a stack', () => {
  it.each([
    ['number', '1.5', 'one'],
    ['bool', 'true', 'yes'],
    ['port', '8080', '0'],
    ['domain', 'shop.example.org', '-x.org'],
    ['image_tag', '1.4.2-rc1', 'a:b'],
  ] as const)('of type %s take %s and not %s', (type, good, bad) => {
    expect(refusals([of(type)], { X: good })).toEqual({})
    expect(refusals([of(type)], { X: bad })).toEqual({ X: `stacks.unfit.${type}` })
    expect(refusals([of(type)], { X: sample(of(type)) })).toEqual({})
  })

  it('are asked for where nothing else gives a value', () => {
    expect(refusals([of('string')], {})).toEqual({ X: 'schema.required' })
    expect(refusals([of('string', { default: '' }), of('password')], {})).toEqual({})
    expect(refusals([of('choice', { choices: ['a'] })], { X: 'b' })).toEqual({ X: 'stacks.unfit.choice' })
    expect(given({ A: '', B: 'b' })).toEqual({ B: 'b' })
  })

  it('are found where nobody declared them', () => {
    const text = 'a: ${TAG} b: $PORT c: ${MODE:-x} d: $$HOME e: ${KNOWN} f: ${WHY:?needed}'
    expect(undeclared(text, [{ name: 'KNOWN', type: 'string' }]).map(({ name, default: fallback }) => [name, fallback])).toEqual([['TAG', undefined], ['PORT', undefined], ['MODE', ''], ['WHY', undefined]])
  })

  it('are described in the language that somebody reads', () => {
    expect(inLanguage({ en: 'Port', fr: 'Le port' }, 'fr')).toBe('Le port')
    expect(inLanguage({ en: 'Port' }, 'fr')).toBe('Port')
    expect(inLanguage('Port', 'fr')).toBe('Port')
    expect(inLanguage(null, 'fr')).toBe('')
  })
})
