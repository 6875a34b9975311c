import { describe, expect, it } from 'vitest'
import { blank, fieldOf, fieldsOf, readAny, typeFields, variantOf, writeAny } from './schema-form'
import type { JsonObject } from './workflow'

describe('a form from a schema', () => {
  it('asks for what is required first', () => {
    const fields = fieldsOf({ type: 'object', properties: { method: { type: 'string' }, url: { type: 'string' } }, required: ['url'] })
    expect(fields.map(({ key, required }) => [key, required])).toEqual([['url', true], ['method', false]])
  })

  it('reads constants as a choice, with what each means', () => {
    const field = fieldOf('response', { oneOf: [{ const: 'auto', description: 'As it says' }, { const: 'json' }], default: 'auto' }, false)
    expect(field).toMatchObject({ kind: 'choice', options: [{ value: 'auto', note: 'As it says' }, { value: 'json' }], default: 'auto' })
  })

  it('does not show that a field may be null', () => {
    expect(fieldOf('pick', { type: ['array', 'null'], items: { type: 'string' }, default: null }, false)).toMatchObject({ kind: 'list', entry: { kind: 'text' } })
    expect(fieldOf('jq', { type: ['string', 'null'] }, false)).toMatchObject({ kind: 'code', language: 'jq' })
  })

  it('finds the variant that a value is of', () => {
    const auth = fieldOf('auth', {
      description: 'How to log in.',
      anyOf: [
        {
          oneOf: [
            { type: 'object', properties: { bearer: { type: 'string' } }, required: ['bearer'] },
            { type: 'object', properties: { basic: { type: 'object', properties: { username: { type: 'string' } } } }, required: ['basic'] },
          ],
        },
        { type: 'null' },
      ],
    }, false)
    expect(auth).toMatchObject({ kind: 'variants', note: 'How to log in.' })
    expect(auth.variants?.map(({ label }) => label)).toEqual(['Bearer', 'Basic'])
    expect(variantOf(auth, { basic: { username: 'a' } })).toBe(1)
    expect(variantOf(auth, undefined)).toBe(-1)
    expect(auth.variants?.[0] && blank(auth.variants[0].field)).toEqual({ bearer: '' })
  })

  it('names variants that are a word by it, and begins with it', () => {
    const action = fieldOf('action', {
      oneOf: [
        { type: 'string', const: 'start' },
        { type: 'string', const: 'stop' },
        { type: 'object', properties: { run: { type: 'object', properties: { image: { type: 'string' } }, required: ['image'] } }, required: ['run'] },
      ],
    }, true)
    expect(action.variants?.map(({ label }) => label)).toEqual(['Start', 'Stop', 'Run'])
    expect(variantOf(action, 'stop')).toBe(1)
    expect(variantOf(action, { run: { image: 'a' } })).toBe(2)
    expect(action.variants?.[1] && blank(action.variants[1].field)).toBe('stop')
  })

  it('takes a map where keys are free, and JSON where anything is', () => {
    expect(fieldOf('headers', { type: 'object', additionalProperties: true }, false)).toMatchObject({ kind: 'map', entry: { kind: 'any' } })
    expect(fieldOf('json', {}, false).kind).toBe('any')
  })

  it('ends where a schema goes on for ever', () => {
    const endless: { type: string; items?: unknown } = { type: 'array' }
    endless.items = endless
    expect(JSON.stringify(fieldOf('a', endless as never, false))).toContain('"any"')
  })
})

describe('the fields of a node type', () => {
  const config = { type: 'object', properties: { for: { type: 'string', description: 'How long' }, until: { type: 'string', description: 'An instant' } } }
  const fields = { for: { title: { en: 'For', fr: 'Pendant' }, description: { fr: 'Combien de temps' } } }

  it('are told in the words of its plugin, else in those of the schema', () => {
    const told = (language: string) => typeFields({ type: { fields }, config }, language).map(({ label, note }) => [label, note])
    expect(told('fr')).toEqual([['Pendant', 'Combien de temps'], ['Until', 'An instant']])
    expect(told('en')).toEqual([['For', 'How long'], ['Until', 'An instant']])
    expect(typeFields({ type: {}, config }, 'fr').map(({ label }) => label)).toEqual(['For', 'Until'])
  })

  it('tell what they can be in these words, too, however deep that is chosen', () => {
    const pull = { oneOf: [{ const: 'always', description: 'Each time' }, { const: 'never', description: 'Not at all' }] }
    const action: JsonObject = { oneOf: [{ const: 'stop', description: 'Stops it' }, { type: 'object', description: 'Runs it', properties: { run: { type: 'object', properties: { pull } } } }] }
    const values = { stop: { fr: 'L’arrête' }, run: { fr: 'L’exécute' }, always: { fr: 'Chaque fois' } }
    const [field] = typeFields({ type: { fields: { action: { values } } }, config: { properties: { action } } }, 'fr')
    expect(field?.variants?.map(({ name, note }) => [name, note])).toEqual([['stop', 'L’arrête'], ['run', 'L’exécute']])
    expect(field?.variants?.[1]?.field.fields?.[0]?.fields?.[0]?.options).toEqual([{ value: 'always', note: 'Chaque fois' }, { value: 'never', note: 'Not at all' }])
  })
})

describe('the fields within a field', () => {
  const image = { type: 'string', description: 'Its image' }
  const pull = { oneOf: [{ const: 'always', description: 'Each time' }, { const: 'never', description: 'Not at all' }] }
  const map = (properties: JsonObject): JsonObject => ({ type: 'object', properties })
  const action: JsonObject = { oneOf: [{ const: 'stop' }, map({ run: map({ image, pull }) }), { type: 'array', items: map({ file: image }) }] }
  const texts = {
    names: { stop: { fr: 'Arrêter' }, array: { en: 'Several', fr: 'Plusieurs' } },
    values: { never: { fr: 'Jamais' }, always: { fr: 'Toujours' } },
    fields: {
      run: { title: { fr: 'Exécuter' }, fields: { image: { title: { fr: 'Image' }, description: { fr: 'Son image' } }, pull: { values: { always: { fr: 'Chaque fois' } } } } },
      file: { title: { en: 'One file', fr: 'Un fichier' } },
    },
  }
  const [field] = typeFields({ type: { fields: { action: texts } }, config: { properties: { action } } }, 'fr')
  const run = field?.variants?.[1]?.field.fields?.[0]

  it('have words of their own, wherever they are', () => {
    expect([run?.label, ...(run?.fields ?? []).map(({ label, note }) => [label, note])]).toEqual(['Exécuter', ['Image', 'Son image'], ['Pull', undefined]])
    expect(field?.variants?.[2]?.field.entry?.fields?.map(({ label, note }) => [label, note])).toEqual([['Un fichier', 'Its image']])
  })

  it('are told in the words of the field around them where they have none', () => {
    expect(run?.fields?.[1]?.options?.map(({ note }) => note)).toEqual(['Chaque fois', 'Jamais'])
  })

  it('name the variant that is a map of one key', () => {
    expect(field?.variants?.map(({ label }) => label)).toEqual(['Arrêter', 'Exécuter', 'Plusieurs'])
    const english = typeFields({ type: { fields: { action: texts } }, config: { properties: { action } } }, 'en')
    expect(english[0]?.variants?.map(({ label }) => label)).toEqual(['Stop', 'Run', 'Several'])
  })
})

describe('a value of any kind', () => {
  it.each([['5', 5], ['{"a":1}', { a: 1 }], ['hello', 'hello'], ['"5"', '5']])('reads %s', (text, value) => expect(readAny(text)).toEqual(value))
  it.each([[5, '5'], ['5', '"5"'], ['hello', 'hello'], [undefined, '']])('writes %s', (value, text) => expect(writeAny(value)).toBe(text))
})
