import { watch } from 'vue'
import { readDocument } from '@/features/workflows/api'
import type { WorkflowView } from '@/domain/workflow'
import type { EditorDocument } from './document'

/** So many other workflows are got for one document. */
const most = 30

/** The names of the workflows that a workflow runs. */
function names(workflow: WorkflowView | undefined | null): string[] {
  const named = (workflow?.nodes ?? []).flatMap(({ uses, with: config }) => {
    const name = typeof uses === 'string' && uses.startsWith('workflow@') && config && typeof config === 'object' && 'name' in config ? config['name'] : undefined
    return typeof name === 'string' && /^[a-z][a-z0-9_-]*$/.test(name) ? [name] : []
  })
  return [...new Set(named)]
}

/**
 * Tells core of the workflows that the document runs, as the server has them, so that the inputs given to them and the outputs read of
 * them are checked while somebody types. What cannot be got is left to the server, which checks all of it when the document is saved.
 */
export function useWorkflows(document: EditorDocument, get: (name: string) => Promise<{ text: string }> = readDocument) {
  const asked = new Set<string>()
  const texts: Record<string, string> = {}
  const told = document.core.workflows(texts)

  async function look(workflow: WorkflowView | undefined): Promise<void> {
    let fresh = names(workflow).filter((name) => !asked.has(name))
    let found = false
    while (fresh.length && asked.size < most) {
      const level = fresh.slice(0, most - asked.size)
      level.forEach((name) => asked.add(name))
      const got = await Promise.all(level.map((name) => get(name).then(({ text }) => ({ name, text })).catch(() => undefined)))
      for (const one of got) {
        if (one) texts[one.name] = one.text
        found ||= one !== undefined
      }
      // What those run in turn decides whether they can be run.
      const below = await Promise.all(got.map((one) => (one ? document.core.read(one.text).catch(() => undefined) : undefined)))
      fresh = [...new Set(below.flatMap((reading) => names(reading?.workflow)))].filter((name) => !asked.has(name))
    }
    if (!found) return
    await told
    await document.core.workflows(texts)
    await document.read()
  }

  watch(document.workflow, (workflow) => void look(workflow).catch(() => undefined), { immediate: true })
}
