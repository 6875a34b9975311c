import { computed, onScopeDispose, ref, shallowRef, toValue, watch as observe, type MaybeRefOrGetter } from 'vue'
import { watch, type Watch } from '@/api/events'
import { ApiProblem } from '@/api/problem'
import type { LogLine } from './api'
import { beginAnew, hearLine, nothingHeard, type HeardLine } from './logs'

/** How the lines come: `ended` where no container is left that could write one. */
export type LogState = 'connecting' | 'live' | 'waiting' | 'ended' | 'refused'

/** What the containers write, as they write it. `runs` is when one was last seen to run, and 0 where none does. */
export function useLogs(id: MaybeRefOrGetter<string>, service: MaybeRefOrGetter<string>, runs: MaybeRefOrGetter<number>) {
  let heard = nothingHeard()
  const all = shallowRef<readonly HeardLine[]>([])
  const held = shallowRef<readonly HeardLine[]>()
  const state = ref<LogState>('connecting')
  /** Why there is no stream. */
  const problem = ref<ApiProblem>()
  /** How many lines came since it was paused. */
  const fresh = ref(0)
  let pausedAt = 0
  let frame = 0
  let stream: Watch | undefined

  const draw = () => {
    // Many lines come at once: they are drawn together.
    frame ||= requestAnimationFrame(() => {
      frame = 0
      if (held.value) fresh.value = heard.count - pausedAt
      else all.value = [...heard.lines]
    })
  }
  const begin = () => {
    stream?.stop()
    state.value = 'connecting'
    problem.value = undefined
    const query = new URLSearchParams({ tail: '500', ...(toValue(service) && { service: toValue(service) }) })
    stream = watch(`/api/v1/deployments/${encodeURIComponent(toValue(id))}/logs/live?${query.toString()}`, {
      onEvent({ event, data }) {
        if (event === 'line') {
          hearLine(heard, JSON.parse(data) as LogLine)
          draw()
        } else if (event === 'end') state.value = 'ended'
        else if (event === 'error') {
          const { code, message, remedy } = JSON.parse(data) as { code: string; message: string; remedy?: string }
          problem.value = new ApiProblem(422, code, message, remedy)
        }
      },
      onState(is, why) {
        if (is === 'open') {
          beginAnew(heard)
          problem.value = undefined
        } else if (why) problem.value = why
        state.value = is === 'open' ? 'live' : 'waiting'
      },
      onProblem(is) {
        problem.value = is
        state.value = 'refused'
      },
      // The engine may come back, and the service with the next deployment.
      passes: ({ code }) => code === 'target',
    })
  }
  const resume = () => {
    held.value = undefined
    fresh.value = 0
    all.value = [...heard.lines]
  }
  const pause = () => {
    pausedAt = heard.count
    held.value = all.value = [...heard.lines]
  }
  observe(
    () => [toValue(id), toValue(service)],
    () => {
      heard = nothingHeard()
      resume()
      begin()
    },
    { immediate: true },
  )
  // What was stopped may be started again.
  observe(() => toValue(runs), (seen) => seen && state.value === 'ended' && begin())
  onScopeDispose(() => {
    stream?.stop()
    cancelAnimationFrame(frame)
  })
  const paused = computed({ get: () => held.value !== undefined, set: (halt) => (halt ? pause() : resume()) })
  return { lines: computed(() => held.value ?? all.value), state, problem, paused, fresh, again: begin }
}
