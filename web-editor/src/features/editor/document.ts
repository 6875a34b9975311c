import { computed, inject, ref, shallowRef, type InjectionKey } from 'vue'
import type { Core } from '@/domain/core'
import { advance, begin, redo, undo } from '@/domain/history'
import type { DocumentProblem, Edit, Edited, Reading, WorkflowView } from '@/domain/workflow'

/**
 * The document that is being edited. Its text is the only truth: the drawing is read from it, every change by hand or by drawing is a
 * change of the text, and going back is going back to a text. All of it goes through windflow-core.
 */
export function createDocument(core: Core, text: string, etag: string) {
  const history = shallowRef(begin(text))
  const reading = shallowRef<Reading>({ problems: [], workflow: null })
  /** The last that could be drawn; it stays while the text is half written. */
  const workflow = shallowRef<WorkflowView>()
  const base = ref({ text, etag })
  /** The text that the reading is of. */
  const readText = ref<string>()

  let turn: Promise<unknown> = Promise.resolve()
  let reads = 0

  async function read(): Promise<void> {
    const mine = ++reads
    const now = history.value.present
    const result = await core.read(now)
    if (mine !== reads) return
    reading.value = result
    readText.value = now
    if (result.workflow) workflow.value = result.workflow
  }

  /** One after the other: an edit is made on the text that the one before gave. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = turn.then(work, work)
    turn = mine.catch(() => undefined)
    return mine
  }

  /** Changes the text by drawing. Throws `EditRefused`. Edits with the same mark in a row are undone together. */
  const apply = (edits: Edit[], mark?: string): Promise<Edited> =>
    inTurn(async () => {
      for (;;) {
        const on = history.value.present
        const edited = await core.edit(on, edits)
        // What was typed while the edit was being made counts: then it is made on that.
        if (history.value.present !== on) continue
        history.value = advance(history.value, edited.text, mark)
        await read()
        return edited
      }
    })

  /** Takes over a text that was written by hand. */
  function write(next: string, mark?: string): void {
    history.value = advance(history.value, next, mark)
    void inTurn(read)
  }

  /** In its turn, too: what is still being made is made first, and is what is taken back. */
  const step = (to: typeof undo) =>
    inTurn(() => {
      history.value = to(history.value)
      return read()
    })

  const problems = computed<DocumentProblem[]>(() => reading.value.problems)
  return {
    text: computed(() => history.value.present),
    workflow,
    problems,
    errors: computed(() => problems.value.filter(({ severity }) => severity === 'error')),
    /** Whether the text can be read as a workflow at this moment; the drawing is stale where not. */
    drawable: computed(() => reading.value.workflow !== null),
    dirty: computed(() => history.value.present !== base.value.text || base.value.etag === ''),
    base,
    canUndo: computed(() => history.value.past.length > 0),
    canRedo: computed(() => history.value.future.length > 0),
    core,
    apply,
    write,
    read: () => inTurn(read),
    undo: () => step(undo),
    redo: () => step(redo),
    /** After a save: what the server has now. */
    settle(savedText: string, savedEtag: string) {
      base.value = { text: savedText, etag: savedEtag }
    },
    /** When all that was asked for so far is done. */
    quiet: () => inTurn(async () => undefined),
  }
}

export type EditorDocument = ReturnType<typeof createDocument>

export const documentKey: InjectionKey<EditorDocument> = Symbol('document')
export function useDocument(): EditorDocument {
  const found = inject(documentKey)
  if (!found) throw new Error('useDocument belongs below an editor page')
  return found
}
