import { computed, type Ref } from 'vue'
import { noteKey } from '@/canvas/notes'
import type { EditorDocument } from './document'
import type { CanvasHandle, Edits } from './useEdits'
import type { Command } from './useKeys'
import type { EditorRun } from './useRun'

interface Desk {
  document: EditorDocument
  edits: Edits
  run: EditorRun
  canvas: Ref<(CanvasHandle & { fit(): unknown; zoomIn(): unknown; zoomOut(): unknown }) | null>
  mode: Ref<'canvas' | 'split' | 'yaml'>
  palette: Ref<boolean>
  map: Ref<boolean>
  dialog: Ref<'commands' | 'help' | 'versions' | 'start' | undefined>
  readonly: Ref<boolean>
  opened: Ref<string | undefined>
  picking: Ref<object | undefined>
  save(): Promise<boolean>
  saveDraft(): Promise<boolean>
  start(): Promise<void>
  removeChosen(): Promise<void>
  open(id: string | undefined): void
  tryNode(id: string): Promise<void>
  mayTry: Ref<boolean>
}

/** All that the editor can do, in one list: for keys, for the command palette and for the help sheet. */
export function useCommands(desk: Desk) {
  const { document, edits, run, canvas, mode, palette, map, dialog } = desk
  const chosen = () => canvas.value?.selected() ?? []
  const writes = () => !desk.readonly.value
  const notes = () => canvas.value?.selectedNotes() ?? []
  const any = () => chosen().length + notes().length > 0
  const some = () => writes() && any()
  /** Opens the one thing that is chosen: a node's panel, or a note to be written on. */
  const openOne = () => {
    const [note] = notes()
    if (note === undefined) desk.open(chosen()[0])
    else if (writes()) canvas.value?.write(note)
  }
  const drawn = () => mode.value !== 'yaml'

  const commands = computed<Command[]>(() => [
    { id: 'commands', icon: 'i-lucide-command', keys: 'mod+k', everywhere: true, run: () => (dialog.value = 'commands') },
    { id: 'save', icon: 'i-lucide-save', keys: 'mod+s', everywhere: true, when: writes, run: desk.save },
    { id: 'saveDraft', icon: 'i-lucide-file-pen-line', when: () => writes() && document.dirty.value, run: desk.saveDraft },
    { id: 'run', icon: 'i-lucide-play', keys: 'mod+enter', everywhere: true, run: desk.start },
    { id: 'add', icon: 'i-lucide-plus', keys: 'tab n', when: () => writes() && drawn(), run: () => (desk.picking.value = chosen().length === 1 ? { after: { node: chosen()[0] } } : {}) },
    { id: 'note', icon: 'i-lucide-sticky-note', keys: 'shift+s', when: () => writes() && drawn(), run: () => edits.addNote() },
    { id: 'undo', icon: 'i-lucide-undo-2', keys: 'mod+z', when: writes, run: document.undo },
    { id: 'redo', icon: 'i-lucide-redo-2', keys: 'mod+shift+z mod+y', when: writes, run: document.redo },
    { id: 'copy', icon: 'i-lucide-copy', keys: 'mod+c', when: () => any() && !String(getSelection() ?? ''), run: () => edits.copy(chosen(), notes()) },
    { id: 'cut', icon: 'i-lucide-scissors', keys: 'mod+x', when: some, run: async () => (await edits.copy(chosen(), notes())) && desk.removeChosen() },
    // Pasting by keys comes as an event of the page; this one is for the palette.
    { id: 'paste', icon: 'i-lucide-clipboard-paste', when: writes, run: () => edits.paste() },
    { id: 'duplicate', icon: 'i-lucide-copy-plus', keys: 'mod+d', when: some, run: () => edits.duplicate(chosen(), notes()) },
    { id: 'delete', icon: 'i-lucide-trash-2', keys: 'delete backspace', when: () => writes() && drawn(), run: desk.removeChosen },
    { id: 'selectAll', icon: 'i-lucide-box-select', keys: 'mod+a', when: drawn, run: () => canvas.value?.select([...(document.workflow.value?.nodes.map(({ id }) => id) ?? []), ...Object.keys(document.workflow.value?.notes ?? {}).map(noteKey)]) },
    { id: 'open', icon: 'i-lucide-panel-right-open', keys: 'enter', when: () => drawn() && chosen().length + notes().length === 1, run: openOne },
    { id: 'tryNode', icon: 'i-lucide-flask-conical', keys: 'shift+enter', when: () => desk.mayTry.value && drawn() && chosen().length === 1, run: () => desk.tryNode(chosen()[0] as string) },
    { id: 'close', icon: 'i-lucide-x', keys: 'escape', when: () => desk.opened.value !== undefined || palette.value, run: () => ((palette.value = false), desk.open(undefined)) },
    { id: 'disable', icon: 'i-lucide-power', keys: 'd', when: () => writes() && chosen().length > 0, run: () => edits.toggleDisabled(chosen()) },
    { id: 'tidy', icon: 'i-lucide-wand-sparkles', keys: 'shift+t', when: () => writes() && drawn(), run: edits.tidy },
    { id: 'workflow', icon: 'i-lucide-zap', keys: 'w', run: () => desk.open('@start') },
    { id: 'palette', icon: 'i-lucide-panel-left', keys: 'p', when: writes, run: () => (palette.value = !palette.value) },
    { id: 'fit', icon: 'i-lucide-scan', keys: '1', when: drawn, run: () => canvas.value?.fit() },
    { id: 'zoomIn', icon: 'i-lucide-zoom-in', keys: '+ =', when: drawn, run: () => canvas.value?.zoomIn() },
    { id: 'zoomOut', icon: 'i-lucide-zoom-out', keys: '-', when: drawn, run: () => canvas.value?.zoomOut() },
    { id: 'map', icon: 'i-lucide-map', keys: 'm', when: drawn, run: () => (map.value = !map.value) },
    { id: 'canvas', icon: 'i-lucide-workflow', keys: 'alt+1', everywhere: true, run: () => (mode.value = 'canvas') },
    { id: 'split', icon: 'i-lucide-columns-2', keys: 'alt+2', everywhere: true, run: () => (mode.value = 'split') },
    { id: 'yaml', icon: 'i-lucide-code', keys: 'alt+3', everywhere: true, run: () => (mode.value = 'yaml') },
    { id: 'versions', icon: 'i-lucide-history', run: () => (dialog.value = 'versions') },
    { id: 'lastRun', icon: 'i-lucide-eye', keys: 'r', when: () => run.live.value !== undefined, run: () => (run.shown.value = !run.shown.value) },
    { id: 'help', icon: 'i-lucide-keyboard', keys: '?', run: () => (dialog.value = 'help') },
  ])
  return { commands }
}
