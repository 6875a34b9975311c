import { useQueryClient } from '@tanstack/vue-query'
import { useEventListener, watchDebounced } from '@vueuse/core'
import { computed, onBeforeUnmount, ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { onBeforeRouteLeave, useRouter } from 'vue-router'
import { ApiProblem } from '@/api/problem'
import { useSession } from '@/app/session'
import { complain, told } from '@/ui/notify'
import { said } from '@/ui/said/said'
import { createWorkflow, readDocument, replaceWorkflow, workflowsKey } from '../workflows/api'
import { draftsKey, keepOnServer, readKeptDraft, throwAway, type KeptDraft } from '../workflows/drafts'
import type { EditorDocument } from './document'
import { beginning, keepDraft, type Draft } from './draft'

/** What an editor finds: the text that was saved, a draft on the server, and work that this browser kept. */
export interface Opening {
  text: string
  etag: string
  version?: number
  kept?: KeptDraft
  local?: Draft
}

/**
 * Where the work goes. The browser keeps it as it is made, so that a reload loses nothing; a draft on the server is there on every machine;
 * saving makes a version of it, and the draft is done.
 */
export function useSaving(name: () => string, document: EditorDocument, opening: Opening) {
  const { t } = useI18n()
  const router = useRouter()
  const queries = useQueryClient()
  const organisation = useSession().me?.organisation ?? ''

  const begun = beginning(opening, opening.kept, opening.local)
  const restored = ref(begun.from)
  const kept = ref(opening.kept)
  let seen = begun.seen
  document.settle(opening.text, begun.etag)
  for (const text of begun.texts.slice(1)) document.write(text)
  if (begun.texts.length === 1) void document.read().catch(complain)

  const saving = ref(false)
  /** Somebody was faster, with a version or with a draft: what they wrote. */
  const conflict = ref<{ text: string; take(): void; go(): Promise<unknown> }>()
  const isDraft = computed(() => kept.value?.text === document.text.value)

  /** One after the other: what comes while one is under way, such as a start by keys, waits for it. */
  let last: Promise<boolean> = Promise.resolve(true)
  const inTurn = (work: () => Promise<boolean>) => () =>
    (last = last.catch(() => false).then(async () => {
      saving.value = true
      try {
        await document.quiet()
        return await work()
      } finally {
        saving.value = false
      }
    }))
  const meantime = (error: unknown): boolean => error instanceof ApiProblem && [409, 412, 428].includes(error.status)

  /** Saves what was read; where somebody was faster, both are shown. Never throws. */
  const save = inTurn(async () => {
    if (!document.dirty.value) return true
    const text = document.text.value
    const { etag } = document.base.value
    try {
      const saved = etag ? await replaceWorkflow(name(), text, etag) : await createWorkflow(text)
      document.settle(text, saved.etag)
      keepDraft(organisation, name(), undefined)
      restored.value = kept.value = seen = undefined
      // The name is in the text: it may be another one than that of the address.
      if (saved.workflow.name !== name()) void router.replace(`/workflows/${saved.workflow.name}`)
      void queries.invalidateQueries({ queryKey: workflowsKey })
      void queries.invalidateQueries({ queryKey: draftsKey })
      told(t('editor.saved', { version: saved.workflow.version }))
      return true
    } catch (error) {
      if (meantime(error)) {
        const theirs = await readDocument(name()).catch((unread: unknown) => (complain(unread), undefined))
        if (theirs) conflict.value = { text: theirs.text, take: () => document.settle(theirs.text, theirs.etag), go: async () => document.dirty.value && save() }
      } else if (error instanceof ApiProblem && error.problems.length) complain(new Error(t('editor.notSaved', { problem: said(error.problems[0] ?? error) })))
      else complain(error)
      return false
    }
  })

  /** Keeps the text on the server as it is, whatever is wrong with it. Nothing runs it. */
  const saveDraft = inTurn(async () => {
    const text = document.text.value
    try {
      kept.value = await keepOnServer(name(), text, seen)
      seen = kept.value.etag
      keepDraft(organisation, name(), undefined)
      void queries.invalidateQueries({ queryKey: draftsKey })
      told(t('editor.draft.kept'))
      return true
    } catch (error) {
      if (!meantime(error)) complain(error)
      else {
        const theirs = await readKeptDraft(name()).catch((unread: unknown) => (complain(unread), undefined))
        if (theirs) conflict.value = { text: theirs.text, take: () => ((kept.value = theirs), (seen = theirs.etag)), go: async () => isDraft.value || saveDraft() }
        // It was thrown away, or became a version: there is nothing to write over any more.
        else seen = undefined
      }
      return false
    }
  })

  /** After a conflict: what is kept is written over what is newer, which a version stays in the history of. */
  async function resolve(text: string) {
    const { take, go } = conflict.value ?? {}
    conflict.value = undefined
    take?.()
    document.write(text)
    await go?.()
  }

  /** Gives up what was not saved, here and on the server. One step back brings the text back while the page is open. */
  async function discard(): Promise<void> {
    try {
      if (kept.value) await throwAway(name())
    } catch (error) {
      if (!(error instanceof ApiProblem) || error.status !== 404) return complain(error)
    }
    void queries.invalidateQueries({ queryKey: draftsKey })
    kept.value = seen = restored.value = undefined
    if (document.base.value.text === opening.text) document.settle(opening.text, opening.etag)
    document.write(document.base.value.text)
    keepDraft(organisation, name(), undefined)
  }

  /** Work that would be lost with this page: it is neither saved, nor a draft, nor what the page began with. */
  const atRisk = () => document.dirty.value && document.text.value !== opening.text && !isDraft.value
  const local = (): Draft => ({ text: document.text.value, etag: document.base.value.etag, ...(seen && { seen }), at: Date.now() })
  watchDebounced([document.text, document.dirty], () => keepDraft(organisation, name(), atRisk() ? local() : undefined), { debounce: 300, maxWait: 1500 })
  const flush = () => void (atRisk() && keepDraft(organisation, name(), local()))
  useEventListener(window, 'pagehide', flush)
  useEventListener(window, 'beforeunload', (event) => {
    if (!atRisk()) return
    flush()
    event.preventDefault()
  })
  // Leaving by a link loses nothing: the work is there when the workflow is opened again.
  onBeforeRouteLeave(flush)
  onBeforeUnmount(flush)

  return { saving, conflict, restored, kept, isDraft, save, saveDraft, resolve, discard }
}

export type EditorSaving = ReturnType<typeof useSaving>
