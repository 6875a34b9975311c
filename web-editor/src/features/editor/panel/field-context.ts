import { inject, type ComputedRef, type InjectionKey } from 'vue'
import type { ExpressionScope } from '@/domain/completion'
import type { Json, Previewed } from '@/domain/workflow'

/** What fields need to know of where they are. */
export interface FieldContext {
  scope: ComputedRef<ExpressionScope | undefined>
  readonly: ComputedRef<boolean>
  preview(template: Json): Promise<Previewed | undefined>
  /** When all that was written so far is in the text. */
  settled(): Promise<void>
}

export const fieldContextKey: InjectionKey<FieldContext> = Symbol('field context')
export function useFieldContext(): FieldContext {
  const found = inject(fieldContextKey)
  if (!found) throw new Error('fields belong into a form')
  return found
}
