import type { FieldText, Localized, NodeType } from './node-types'
import type { Json, JsonObject } from './workflow'

export interface Option {
  value: Json
  note?: string
}

export interface Variant {
  /** Its value, the key of a map that has one, or its type. */
  name: string
  label: string
  note?: string
  field: Field
}

/** One field of a form, as a JSON Schema describes it. What no kind fits is `any`: written as JSON. */
export interface Field {
  key: string
  label: string
  note?: string
  required: boolean
  kind: 'text' | 'code' | 'number' | 'boolean' | 'choice' | 'list' | 'map' | 'object' | 'variants' | 'any'
  default?: Json
  /** Of a choice. */
  options?: Option[]
  /** Of a list and of a map: what each entry is. */
  entry?: Field
  /** Of an object. */
  fields?: Field[]
  /** One of these; the first that a value fits is shown. */
  variants?: Variant[]
  integer?: boolean
  min?: number
  max?: number
  /** Never an expression: there is nothing that it could read. */
  literal?: boolean
  language?: 'jq' | 'jinja' | 'json' | 'javascript' | 'text'
}

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)
const asObjects = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : [])
const asText = (value: Json | undefined): string | undefined => (typeof value === 'string' ? value : undefined)

/** `follow_redirects` is read as `Follow redirects`. */
export const humanize = (key: string): string => {
  const words = key.replaceAll(/[_-]+/g, ' ').trim()
  return words.charAt(0).toUpperCase() + words.slice(1)
}

const mediaTypes: Record<string, Field['language']> = { 'application/json': 'json', 'text/javascript': 'javascript' }
// Where plugins do not say it themselves (`contentMediaType`), these names are known to hold code or long texts.
const languages: Record<string, Field['language']> = { jq: 'jq', template: 'jinja', text: 'text', body: 'text', script: 'text', message: 'text', prompt: 'text' }

const isNull = (schema: JsonObject) => schema.type === 'null'
/** A type that may be null is the same field, left empty. */
function withoutNull(schema: JsonObject): JsonObject {
  if (Array.isArray(schema.type)) {
    const types = schema.type.filter((type) => type !== 'null')
    return { ...schema, type: types.length === 1 ? (types[0] as string) : types }
  }
  for (const word of ['anyOf', 'oneOf'] as const) {
    const all = asObjects(schema[word])
    const rest = all.filter((one) => !isNull(one))
    if (all.length > 1 && rest.length === 1 && rest[0]) {
      const { [word]: _, ...outer } = schema
      return withoutNull({ ...rest[0], ...outer })
    }
  }
  return schema
}

function constants(schema: JsonObject): Option[] | undefined {
  if (schema.const !== undefined) return [{ value: schema.const }]
  if (Array.isArray(schema.enum)) return schema.enum.filter((value) => value !== null).map((value) => ({ value }))
  const cases = asObjects(schema.oneOf ?? schema.anyOf)
  if (!cases.length || !cases.every((one) => 'const' in one || Array.isArray(one.enum))) return undefined
  return cases.flatMap((one) => {
    const note = asText(one.description)
    const values = Array.isArray(one.enum) ? one.enum : [one.const as Json]
    return values.map((value) => ({ value, ...(note !== undefined && { note }) }))
  })
}

/** How deep forms go; beyond, a value is written as JSON. */
const deepest = 4

export function fieldOf(key: string, given: Json | undefined, required: boolean, depth = 0): Field {
  const schema = withoutNull(isObject(given) ? given : {})
  const note = asText(schema.description)
  const base = {
    key,
    label: asText(schema.title) ?? humanize(key),
    required,
    ...(note !== undefined && { note }),
    ...(schema.default !== undefined && schema.default !== null && { default: schema.default }),
  }
  const options = constants(schema)
  if (options) return { ...base, kind: 'choice', options }
  if (schema.type === 'boolean') return { ...base, kind: 'boolean' }
  if (schema.type === 'integer' || schema.type === 'number')
    return {
      ...base,
      kind: 'number',
      integer: schema.type === 'integer',
      ...(typeof schema.minimum === 'number' && { min: schema.minimum }),
      ...(typeof schema.maximum === 'number' && { max: schema.maximum }),
    }
  if (schema.type === 'string') {
    const language = mediaTypes[asText(schema.contentMediaType) ?? ''] ?? languages[key]
    return language ? { ...base, kind: 'code', language } : { ...base, kind: 'text' }
  }
  if (depth < deepest) {
    const cases = asObjects(schema.oneOf ?? schema.anyOf)
    if (cases.length && !schema.properties) return { ...base, kind: 'variants', variants: cases.map((one) => variant(one, depth)) }
    if (schema.type === 'array') return { ...base, kind: 'list', entry: fieldOf('', schema.items, false, depth + 1) }
    if (schema.type === 'object' && isObject(schema.properties) && Object.keys(schema.properties).length)
      return { ...base, kind: 'object', fields: fieldsOf(schema, depth + 1) }
    if (schema.type === 'object') return { ...base, kind: 'map', entry: fieldOf('', schema.additionalProperties, false, depth + 1) }
  }
  return { ...base, kind: 'any' }
}

function variant(schema: JsonObject, depth: number): Variant {
  const named = 'const' in schema ? [asText(schema.const)] : isObject(schema.properties) ? Object.keys(schema.properties) : []
  const note = asText(schema.description)
  const type = asText(schema.type) ?? ''
  return { name: (named.length === 1 ? named[0] : undefined) ?? type, label: asText(schema.title) ?? humanize(named[0] ?? type), ...(note !== undefined && { note }), field: fieldOf('', schema, false, depth + 1) }
}

/** The fields of a configuration: required ones first, else in the order of the schema. */
export function fieldsOf(schema: JsonObject, depth = 0): Field[] {
  const required = new Set(Array.isArray(schema.required) ? schema.required : [])
  const properties = isObject(schema.properties) ? Object.entries(schema.properties) : []
  const fields = properties.map(([key, one]) => fieldOf(key, one, required.has(key), depth))
  return depth ? fields : [...fields.filter((field) => field.required), ...fields.filter((field) => !field.required)]
}

/** The fields of a node type's configuration, in the words that its plugin has in a language; else in those of the schema. */
export function typeFields({ type, config }: Pick<NodeType, 'config'> & { type: Pick<NodeType['type'], 'fields'> }, language: string): Field[] {
  const said = (text: Localized | undefined) => text?.[language as keyof Localized] ?? text?.en
  type Texts = readonly FieldText[]
  const first = (texts: Texts, of: 'values' | 'names', name: string) => texts.map((text) => said(text[of]?.[name])).find((text) => text !== undefined)
  const noted = (note: string | undefined) => (note === undefined ? {} : { note })

  /** A field that has a name: in the words for it, which are looked for in those of the field that it is in. */
  const named = (field: Field, own: FieldText | undefined, outer: Texts): Field => ({
    ...inWords(field, [own ?? {}, ...outer]),
    label: said(own?.title) ?? field.label,
    ...noted(said(own?.description) ?? field.note),
  })
  /** What a field can be and what is in it. The words of a field hold for those within it, too, which come first with theirs. */
  const inWords = (field: Field, texts: Texts): Field => ({
    ...field,
    ...(field.options && { options: field.options.map((option) => ({ ...option, ...noted(first(texts, 'values', String(option.value)) ?? option.note) })) }),
    ...(field.variants && {
      variants: field.variants.map((one) => ({
        ...one,
        label: first(texts, 'names', one.name) ?? said(texts[0]?.fields?.[one.name]?.title) ?? one.label,
        ...noted(first(texts, 'values', one.name) ?? one.note),
        field: inWords(one.field, texts),
      })),
    }),
    ...(field.fields && { fields: field.fields.map((one) => named(one, texts[0]?.fields?.[one.key], texts)) }),
    ...(field.entry && { entry: inWords(field.entry, texts) }),
  })
  return fieldsOf(config).map((field) => named(field, type.fields?.[field.key], []))
}

/** Whether a text holds an expression. */
export const isExpression = (value: Json | undefined): value is string => typeof value === 'string' && value.includes('${{')

/** The variant that a value is of: the one whose fields it has. */
export function variantOf(field: Field, value: Json | undefined): number {
  const index = (field.variants ?? []).findIndex(({ field: one }) => {
    if (one.kind === 'object') return isObject(value) && (one.fields ?? []).filter(({ required }) => required).every(({ key }) => key in value)
    if (one.kind === 'list') return Array.isArray(value)
    if (one.kind === 'number') return typeof value === 'number'
    if (one.kind === 'boolean') return typeof value === 'boolean'
    if (one.kind === 'text' || one.kind === 'code') return typeof value === 'string'
    if (one.kind === 'choice') return one.options?.some((option) => option.value === value) ?? false
    return one.kind === 'map' ? isObject(value) : false
  })
  return value === undefined ? -1 : index
}

/** What a field begins with when it is added. */
export function blank(field: Field): Json {
  if (field.default !== undefined) return field.default
  switch (field.kind) {
    case 'boolean':
      return false
    case 'number':
      return field.min ?? 0
    case 'list':
      return []
    case 'map':
      return {}
    case 'object':
      return Object.fromEntries((field.fields ?? []).filter(({ required }) => required).map((one) => [one.key, blank(one)]))
    case 'choice':
      return field.options?.[0]?.value ?? ''
    case 'variants':
      return field.variants?.[0] ? blank(field.variants[0].field) : ''
    default:
      return ''
  }
}

/** What somebody wrote where any value may be: JSON where it is JSON, else a text. */
export function readAny(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    return text
  }
}
export const writeAny = (value: Json | undefined): string =>
  value === undefined ? '' : typeof value === 'string' && typeof readAny(value) === 'string' ? value : JSON.stringify(value, null, 2)
