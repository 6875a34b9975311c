import type { Schemas } from '@/api/client'

type Template = Pick<Schemas['TemplateSummary'], 'name' | 'registry' | 'uses' | 'title'>

/** Where a new workflow out of a template begins; without one, a blank one. */
export const beginning = (template?: Pick<Template, 'name' | 'registry'>) => ({
  path: '/workflows',
  query: { begin: template ? `${template.registry}/${template.name}` : '' },
})

/** Node types that need a credential, a target or a person before they do anything. */
const demanding = /^(docker|deploy|email|github|llm|slack|approval|callback)/

/** A few templates to begin with: first those that run as they are, of these the smallest. */
export function easiest<T extends Template>(templates: readonly T[], count: number): T[] {
  const asks = ({ uses }: Template) => uses.filter((type) => demanding.test(type)).length
  return [...templates].sort((a, b) => asks(a) - asks(b) || a.uses.length - b.uses.length || a.name.localeCompare(b.name)).slice(0, count)
}
