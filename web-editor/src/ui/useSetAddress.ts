import { watch } from 'vue'
import { useRoute, useRouter } from 'vue-router'

/**
 * Whoever comes with `?set=NAME` followed a link from where that one is lacking, and sets it at once: as soon as it is known which there are.
 * The name leaves the address, so that going back does not ask again.
 */
export function useSetAddress(ready: () => boolean, open: (name: string) => void): void {
  const route = useRoute()
  const router = useRouter()
  watch(
    [() => route.query.set, ready] as const,
    ([name, known]) => {
      if (typeof name !== 'string' || !known) return
      open(name)
      void router.replace({ query: { ...route.query, set: undefined } })
    },
    { immediate: true },
  )
}
