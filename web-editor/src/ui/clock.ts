import { useIntervalFn } from '@vueuse/core'
import { ref } from 'vue'

/** The moment, in milliseconds, renewed every so often while the page is shown. */
export function useClock(every: number) {
  const now = ref(Date.now())
  useIntervalFn(() => {
    if (!document.hidden) now.value = Date.now()
  }, every)
  return now
}
