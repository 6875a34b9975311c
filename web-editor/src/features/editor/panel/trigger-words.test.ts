import { describe, expect, it } from 'vitest'
import { triggerFields, triggerKinds } from '@/domain/trigger-forms'
import type { Field } from '@/domain/schema-form'
import en from '../i18n/en.json'
import fr from '../i18n/fr.json'
import { triggerWords } from './trigger-words'

/** Looks a key up; remembers what it found, and what there is nothing for. */
function dictionary(texts: unknown) {
  const used = new Set<string>()
  const words = (key: string): string | undefined => {
    const path = key.replace(/^editor\./, '').split('.')
    const found = path.reduce<unknown>((at, part) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[part] : undefined), texts)
    if (typeof found === 'string') used.add(key)
    return typeof found === 'string' ? found : undefined
  }
  return { used, words }
}

/** Every label and every meaning that a form shows of a field. */
const shown = (field: Field): (string | undefined)[] => [
  field.label,
  // A constant by itself is shown as the variant that it is.
  ...(field.options && field.options.length > 1 && field.key !== 'method' && field.key !== 'encoding' ? field.options.map(({ note }) => note) : []),
  ...(field.variants ?? []).flatMap((variant) => [variant.label, variant.note, ...(variant.field.fields ?? []).flatMap(shown)]),
  ...(field.fields ?? []).flatMap(shown),
]

const texts = (trigger: Record<string, unknown>): string[] => Object.values(trigger).flatMap((one) => (typeof one === 'string' ? [one] : texts(one as Record<string, unknown>)))

describe.each([['English', en], ['French', fr]])('the fields of triggers in %s', (_, language) => {
  const { used, words } = dictionary(language)
  const all = triggerKinds.flatMap((uses) => triggerFields(uses).map((field) => triggerWords(field, uses, words)))

  it('have words for whatever a form shows', () => {
    expect(all.length).toBeGreaterThan(10)
    expect(all.flatMap(shown).filter((text) => !text || !texts(language.workflow.trigger).includes(text))).toEqual([])
  })

  it('are written as they are, none of them an expression', () => {
    const literal = (field: Field): boolean => field.literal === true && [...(field.fields ?? []), ...(field.variants ?? []).map((variant) => variant.field)].every(literal)
    expect(all.every(literal)).toBe(true)
  })

  it('have no words for what is not there', () => expect(used.size).toBe(texts(language.workflow.trigger).length))
})
