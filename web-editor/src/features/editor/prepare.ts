import { sharedCore } from '@/domain/core'

let begun = false

/** Gets the parts of the editor before they are asked for: whoever points at a workflow is about to open it. */
export function prepareEditor(): void {
  if (begun) return
  begun = true
  sharedCore()
  // Where it cannot be got now, opening the editor says so.
  void import('./EditorPage.vue').catch(() => (begun = false))
}
