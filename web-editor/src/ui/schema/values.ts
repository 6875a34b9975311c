import { readAny, type Field } from '@/domain/schema-form'
import type { Json, JsonObject } from '@/domain/workflow'

/** What a form begins with: the defaults, and nothing where there is none. */
export function initial(fields: readonly Field[]): JsonObject {
  const values: JsonObject = {}
  for (const field of fields) {
    if (field.default !== undefined) values[field.key] = field.default
    else if (field.kind === 'object') values[field.key] = initial(field.fields ?? [])
    else if (field.kind === 'boolean' && field.required) values[field.key] = false
  }
  return values
}

const isEmpty = (value: Json | undefined): boolean => value === undefined || value === '' || (Array.isArray(value) && !value.length)
const isPlain = (value: Json | undefined): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

/** A problem as a key of a text, with what goes into its holes. */
export interface FieldProblem {
  key: string
  holes?: Record<string, number>
}

function problemOf(field: Field, value: Json | undefined): FieldProblem | undefined {
  if (isEmpty(value)) return field.required && field.kind !== 'list' && field.kind !== 'map' ? { key: 'schema.required' } : undefined
  if (field.kind === 'number') {
    if (typeof value !== 'number' || !Number.isFinite(value)) return { key: 'schema.number' }
    if (field.integer && !Number.isInteger(value)) return { key: 'schema.integer' }
    if (field.min !== undefined && value < field.min) return { key: 'schema.least', holes: { least: field.min } }
    if (field.max !== undefined && value > field.max) return { key: 'schema.most', holes: { most: field.max } }
  }
  return undefined
}

/** What is wrong, by the path of the field. The server checks the whole schema again. */
export function problemsOf(fields: readonly Field[], values: JsonObject, prefix = ''): Map<string, FieldProblem> {
  const found = new Map<string, FieldProblem>()
  for (const field of fields) {
    const path = prefix + field.key
    const value = values[field.key]
    if (field.kind === 'object') {
      for (const [inner, problem] of problemsOf(field.fields ?? [], isPlain(value) ? value : {}, `${path}.`)) found.set(inner, problem)
    } else {
      const problem = problemOf(field, value)
      if (problem) found.set(path, problem)
    }
  }
  return found
}

/** The answer as it is sent: what was left empty is left out. */
export function filled(fields: readonly Field[], values: JsonObject): JsonObject {
  const entries = fields.flatMap((field): [string, Json][] => {
    const value = values[field.key]
    if (field.kind === 'object') {
      const inner = filled(field.fields ?? [], isPlain(value) ? value : {})
      return Object.keys(inner).length || field.required ? [[field.key, inner]] : []
    }
    if (value === undefined || value === '') return []
    const written = field.kind === 'any' || field.kind === 'map' || field.kind === 'variants'
    return [[field.key, written && typeof value === 'string' ? readAny(value) : value]]
  })
  return Object.fromEntries(entries)
}
