import type { Field } from '@/domain/schema-form'

/** Where the words for the fields of triggers are, by the kind of the trigger and the names of the fields on the way. */
const root = 'editor.workflow.trigger'

/**
 * A field of a trigger and all within it, in the words of a language: a label for each that has a name, and a note where there is something to say. None is ever worked
 * out: there is no run yet that an expression could read.
 */
export function triggerWords(field: Field, uses: string, words: (key: string) => string | undefined): Field {
  const named = (one: Field, path: string): Field => {
    const note = words(`${path}.note`)
    return { ...within(one, path), label: words(`${path}.label`) ?? one.label, ...(note !== undefined && { note }) }
  }
  const within = (one: Field, path: string): Field => ({
    ...one,
    literal: true,
    ...(one.options && { options: one.options.map((option) => ({ ...option, ...meaning(`${path}.values.${String(option.value)}`) })) }),
    ...(one.variants && {
      variants: one.variants.map((variant) => ({
        ...variant,
        label: words(`${path}.names.${variant.name}`) ?? variant.label,
        ...meaning(`${path}.values.${variant.name}`),
        field: within(variant.field, path),
      })),
    }),
    ...(one.fields && { fields: one.fields.map((part) => named(part, `${path}.${part.key}`)) }),
  })
  const meaning = (key: string) => {
    const note = words(key)
    return note === undefined ? {} : { note }
  }
  return named(field, `${root}.${uses}.${field.key}`)
}
