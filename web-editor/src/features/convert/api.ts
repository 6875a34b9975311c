import { useMutation } from '@tanstack/vue-query'
import { api, unwrap, type Schemas } from '@/api/client'
import type { ServiceSummary } from '../marketplace/api'
import type { Variable } from '../stacks/variables'
import type { Kind } from './guess'

export type Refusal = Schemas['TemplateRefusal']
/** A draft with the parts that the OpenAPI document leaves open. */
export interface Draft extends Omit<Schemas['TemplateDraft'], 'services' | 'variables' | 'template'> {
  services: ServiceSummary[]
  variables: Variable[]
  template: { name?: string; title?: Record<string, string>; summary?: Record<string, string> }
}
export interface Converted {
  drafts: Draft[]
  refused: Refusal[]
}

/** Makes drafts of a text of another system. Nothing is kept of it. */
export const useConvert = () =>
  useMutation({ mutationFn: (body: { kind: Kind; text: string }) => unwrap(api.POST('/api/v1/templates/convert', { body })) as unknown as Promise<Converted> })
