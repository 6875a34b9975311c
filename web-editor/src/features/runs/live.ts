import { useQueryClient, type InfiniteData } from '@tanstack/vue-query'
import { onScopeDispose, ref, shallowRef, toValue, triggerRef, watch as observe, type MaybeRefOrGetter } from 'vue'
import { watch } from '@/api/events'
import type { ApiProblem } from '@/api/problem'
import { noRun, takeIn, type RunLive } from '@/domain/run-live'
import { runsKey, type Run } from './api'
import { merge, type RunFilter } from './list/filter'

/** Hears of all runs that begin and end. */
export function useLiveRuns(heard: { onRun(run: Run): void; onReset(): void }) {
  const link = ref<'connecting' | 'live' | 'offline'>('connecting')
  const watching = watch('/api/v1/live', {
    onEvent: ({ event, data }) => {
      if (event === 'run') heard.onRun(JSON.parse(data) as Run)
      else if (event === 'reset') heard.onReset()
    },
    onState(state) {
      // What was read before anything was heard may have missed what came in between.
      if (state === 'open' && link.value === 'connecting') heard.onReset()
      link.value = state === 'open' ? 'live' : 'offline'
    },
  })
  onScopeDispose(() => watching.stop())
  return { link }
}

/** Keeps the list that is on the screen at what is heard. */
export function useLiveList(filter: MaybeRefOrGetter<RunFilter>) {
  const queries = useQueryClient()
  const onReset = () => void queries.invalidateQueries({ queryKey: [...runsKey, 'list'] })
  return useLiveRuns({
    onReset,
    onRun(run) {
      queries.setQueryData<InfiniteData<{ items: Run[]; next?: string | null }>>([...runsKey, 'list', toValue(filter)], (known) => {
        if (!known) return known
        const page = known.pages.findIndex(({ items }) => items.some((one) => one.run === run.run))
        const at = Math.max(page, 0)
        return { ...known, pages: known.pages.map((one, index) => (index === at ? { ...one, items: merge(one.items, run, toValue(filter), Date.now()) } : one)) }
      })
    },
  })
}

/** The events that change what is asked: then the run is read anew for its questions. */
const asks = (data: string) => data.includes('"wait"') || data.includes('"attempt_succeeded"')

/** One run as it happens, from its first event to its end. The state is changed in place and drawn at most once a frame. */
export function useRunLive(id: MaybeRefOrGetter<string>, told: { onAsk(): void; onEnd(): void }) {
  const run = shallowRef<RunLive>(noRun())
  const state = ref<'open' | 'waiting' | 'ended'>('waiting')
  const problem = ref<ApiProblem>()
  let frame = 0
  let stop: (() => void) | undefined

  const draw = () => {
    frame ||= requestAnimationFrame(() => {
      frame = 0
      triggerRef(run)
    })
  }
  const begin = () => {
    stop?.()
    run.value = noRun()
    problem.value = undefined
    const watching = watch(`/api/v1/runs/${encodeURIComponent(toValue(id))}/live`, {
      onEvent({ event, data }) {
        if (event === 'end') {
          state.value = 'ended'
          told.onEnd()
          return
        }
        takeIn(run.value, event, JSON.parse(data), Date.now())
        if (event === 'event' && asks(data)) told.onAsk()
        draw()
      },
      onState: (is) => (state.value = is),
      onProblem: (is) => (problem.value = is),
    })
    stop = () => watching.stop()
  }
  observe(() => toValue(id), begin, { immediate: true })
  onScopeDispose(() => {
    stop?.()
    cancelAnimationFrame(frame)
  })
  return { run, state, problem }
}
