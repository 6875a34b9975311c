import { ref, type Ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { ApiProblem } from '@/api/problem'
import type { Json, JsonObject } from '@/domain/workflow'
import { complain } from '@/ui/notify'
import { explain } from '@/ui/said/said'
import type { EditorDocument } from './document'
import type { EditorPins } from './pins'
import type { EditorRun } from './useRun'

interface Desk {
  name: () => string
  document: EditorDocument
  run: EditorRun
  pins: EditorPins
  dialog: Ref<'commands' | 'help' | 'versions' | 'start' | undefined>
  showProblems: Ref<boolean>
  save(): Promise<boolean>
}

/** Starting the workflow, or one node of it. */
export function useStart({ name, document, run, pins, dialog, showProblems, save }: Desk) {
  const { t } = useI18n()
  const starting = ref(false)
  const startProblem = ref<string>()

  /** What was typed just now counts; what is wrong is shown instead. */
  async function isRight(): Promise<boolean> {
    await document.quiet()
    if (!document.errors.value.length) return true
    showProblems.value = true
    complain(new Error(t('editor.run.problems', { count: document.errors.value.length }, document.errors.value.length)))
    return false
  }

  async function start() {
    if (!(await isRight()) || !(await save())) return
    startProblem.value = undefined
    if (Object.keys(document.workflow.value?.inputs ?? {}).length) dialog.value = 'start'
    else await begin({})
  }

  async function begin(inputs: JsonObject) {
    starting.value = true
    startProblem.value = undefined
    try {
      await run.start(name(), inputs, pins.of(document.workflow.value?.nodes ?? []))
      dialog.value = undefined
    } catch (error) {
      // The form is still there to be mended; without one it is told as other problems are.
      if (dialog.value === 'start' && error instanceof ApiProblem) startProblem.value = explain(error)
      else complain(error)
    } finally {
      starting.value = false
    }
  }

  /** Runs one node on what the others put out last, or on what is pinned. The text is taken as it is; nothing is saved. */
  async function tryNode(node: string) {
    await document.quiet()
    starting.value = true
    try {
      const last = Object.entries(run.live.value?.nodes ?? {}).flatMap(([id, { output }]): [string, Json][] => (output === undefined ? [] : [[id, output]]))
      const pinned = Object.entries(pins.of(document.workflow.value?.nodes ?? [])).map(([id, { output }]): [string, Json] => [id, output])
      const inputs = (run.live.value?.inputs ?? {}) as JsonObject
      await run.tryNode(name(), node, { inputs, outputs: Object.fromEntries([...last, ...pinned]), document: document.text.value })
    } catch (error) {
      complain(error)
    } finally {
      starting.value = false
    }
  }

  return { starting, startProblem, start, begin, tryNode }
}
