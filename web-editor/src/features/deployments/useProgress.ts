import { onScopeDispose, shallowRef, toValue, triggerRef, watch as observe, type MaybeRefOrGetter } from 'vue'
import { watch } from '@/api/events'
import { hear, noProgress } from './progress'

/** What a deployment says: it is a run under its own id, whose stream is followed. */
export function useProgress(run: MaybeRefOrGetter<string | undefined>, told: { onEnd(): void }) {
  const progress = shallowRef(noProgress())
  let stop: (() => void) | undefined
  observe(
    () => toValue(run),
    (id) => {
      stop?.()
      progress.value = noProgress()
      if (!id) return
      const watching = watch(`/api/v1/runs/${encodeURIComponent(id)}/live`, {
        onEvent({ event, data }) {
          if (event === 'end') told.onEnd()
          if (event !== 'log') return
          hear(progress.value, (JSON.parse(data) as { message: string }).message, Date.now())
          triggerRef(progress)
        },
      })
      stop = () => watching.stop()
    },
    { immediate: true },
  )
  onScopeDispose(() => stop?.())
  return progress
}
