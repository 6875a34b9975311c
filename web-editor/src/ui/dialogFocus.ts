import { nextTick } from 'vue'

/**
 * Focuses what one writes into first, from a dialog's `@open-auto-focus`: at once, so that nothing that is typed right after is lost. Not when it has
 * faded in (`@opened`): by then somebody may write into another field.
 */
export async function focusInDialog(field: () => { focus(): void } | null | undefined): Promise<void> {
  await nextTick()
  // Element Plus focuses the dialog itself in that tick.
  await nextTick()
  field()?.focus()
}
