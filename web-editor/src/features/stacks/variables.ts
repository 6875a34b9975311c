/** A variable that a stack asks for. */
export interface Variable {
  name: string
  type: 'string' | 'number' | 'bool' | 'choice' | 'port' | 'domain' | 'password' | 'image_tag'
  description?: string | Record<string, string> | null
  default?: string | null
  choices?: string[]
}
export type Values = Record<string, string>

/** A text that may be there in several languages. */
export const inLanguage = (text: string | Record<string, string> | null | undefined, language: string): string =>
  typeof text === 'object' && text !== null ? (text[language] ?? text.en ?? Object.values(text)[0] ?? '') : (text ?? '')

/** Variables that a document uses without declaring them. Those with a default of their own need no value. */
export function undeclared(text: string, declared: readonly Variable[]): Variable[] {
  const known = new Set(declared.map(({ name }) => name))
  const found = new Map<string, Variable>()
  // `$$` is a dollar sign.
  for (const [, name = '', operator = ''] of text.replaceAll('$$', '').matchAll(/\$\{?([A-Za-z_]\w*)(:?[-+?])?/g)) {
    if (known.has(name)) continue
    const optional = /[-+]/.test(operator)
    if (!found.has(name) || !optional) found.set(name, { name, type: 'string', ...(optional && { default: '' }) })
  }
  return [...found.values()]
}

/** Whether a text names a variable somewhere, declared or used. */
export const mentions = (text: string, name: string): boolean => text.split(/\W/).includes(name)

/** A value to look at a document with before anybody gives one; the server takes the same. */
export function sample({ type, default: fallback, choices }: Variable): string {
  if (fallback !== undefined && fallback !== null) return fallback
  const samples: Partial<Record<Variable['type'], string>> = { number: '1', bool: 'true', choice: choices?.[0] ?? '', port: '8080', domain: 'example.org' }
  return samples[type] ?? 'sample'
}

/** What was given, without what was left empty: that takes its default, and passwords are made. */
export const given = (values: Values): Values => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''))

/** Whether somebody has to fill it in. */
export const isNeeded = ({ type, default: fallback }: Variable): boolean => type !== 'password' && (fallback === undefined || fallback === null)

const fits: Record<Variable['type'], (value: string, variable: Variable) => boolean> = {
  string: () => true,
  password: () => true,
  number: (value) => value.trim() !== '' && Number.isFinite(Number(value)),
  bool: (value) => value === 'true' || value === 'false',
  choice: (value, { choices }) => choices?.includes(value) ?? false,
  port: (value) => /^\d{1,5}$/.test(value) && Number(value) > 0 && Number(value) < 65_536,
  domain: (value) => value.length <= 253 && value.split('.').every((label) => /^[a-z\d]([a-z\d-]{0,61}[a-z\d])?$/i.test(label)),
  image_tag: (value) => /^\w[\w.-]{0,127}$/.test(value),
}

/** What is wrong with the values, as keys of texts by name. The server judges again. */
export function refusals(variables: readonly Variable[], values: Values): Record<string, string> {
  const wrong: Record<string, string> = {}
  for (const variable of variables) {
    const value = values[variable.name] ?? ''
    if (value === '') {
      if (isNeeded(variable)) wrong[variable.name] = 'schema.required'
    } else if (!fits[variable.type](value, variable)) wrong[variable.name] = `stacks.unfit.${variable.type}`
  }
  return wrong
}
