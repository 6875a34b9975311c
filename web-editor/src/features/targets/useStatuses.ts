import { useDocumentVisibility } from '@vueuse/core'
import { onScopeDispose, ref, shallowReactive, toValue, watch as observe, type MaybeRefOrGetter } from 'vue'
import type { Schemas } from '@/api/client'
import { watch, type Watch } from '@/api/events'
import type { ApiProblem } from '@/api/problem'

export type TargetStatus = Schemas['TargetStatus']

/** Takes in one event of the stream. What was told before a stream began anew, and is not told again, is there no more. */
export function takeIn(known: Map<string, TargetStatus>, fresh: Set<string>, event: string, data: string): void {
  if (event === 'target') {
    const status = JSON.parse(data) as TargetStatus
    known.set(status.target, status)
    fresh.add(status.target)
  } else if (event === 'removed') {
    known.delete((JSON.parse(data) as { target: string }).target)
  } else if (event === 'all') {
    for (const name of [...known.keys()]) if (!fresh.has(name)) known.delete(name)
    fresh.clear()
  }
}

/** How targets are, as the server tells it while somebody looks. It asks nobody for a page that nobody sees. */
export function useStatuses(enabled: MaybeRefOrGetter<boolean>) {
  const statuses = shallowReactive(new Map<string, TargetStatus>())
  /** Each target that is watched was told of. */
  const whole = ref(false)
  const problem = ref<ApiProblem>()
  const visibility = useDocumentVisibility()
  let stream: Watch | undefined

  observe(
    () => toValue(enabled) && visibility.value === 'visible',
    (looks) => {
      stream?.stop()
      stream = undefined
      problem.value = undefined
      if (!looks) return
      const fresh = new Set<string>()
      stream = watch('/api/v1/target-status/live', {
        onEvent({ event, data }) {
          takeIn(statuses, fresh, event, data)
          whole.value ||= event === 'all'
        },
        onState: () => fresh.clear(),
        onProblem: (is) => (problem.value = is),
      })
    },
    { immediate: true },
  )
  onScopeDispose(() => stream?.stop())
  return { statuses, whole, problem }
}
