import { onScopeDispose, shallowRef, toValue, triggerRef, watch as observe, type MaybeRefOrGetter } from 'vue'
import { watch } from '@/api/events'
import { hear, noProgress, read, type KeptLog } from './progress'

interface Attempt {
  attempt: number
  log?: KeptLog
}
interface Kept {
  event: { attempt_succeeded?: Attempt; attempt_failed?: Attempt }
}

/**
 * What a deployment says: it is a run under its own id, whose stream is followed. What nobody has heard is read where the run has kept it; in a run of
 * something larger, which is not its `own`, other nodes say things, too.
 */
export function useProgress(run: MaybeRefOrGetter<string | undefined>, own: MaybeRefOrGetter<boolean>, told: { onEnd(): void }) {
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
          if (event === 'log') {
            const { message, attempt } = JSON.parse(data) as { message: string; attempt: number }
            hear(progress.value, message, Date.now(), attempt)
          } else if (event === 'event' && toValue(own)) {
            const { attempt_succeeded: well, attempt_failed: failed } = (JSON.parse(data) as Kept).event
            const ended = well ?? failed
            if (!ended?.log) return
            read(progress.value, ended.attempt, ended.log)
          } else return
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
