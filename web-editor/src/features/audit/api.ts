import { useInfiniteQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { api, unwrap, type Schemas } from '@/api/client'

export type AuditEntry = Schemas['AuditView']

/** Who changed what, the newest first. */
export const useAudit = (sought: MaybeRefOrGetter<string>) =>
  useInfiniteQuery({
    queryKey: computed(() => ['audit', toValue(sought)]),
    queryFn: ({ pageParam }) => unwrap(api.GET('/api/v1/audit', { params: { query: { limit: 100, cursor: pageParam, ...(toValue(sought) && { q: toValue(sought) }) } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: (before) => before,
  })

/** The path without what all paths begin with. */
export function shortened(path: string): string {
  const short = path.replace(/^\/api\/v1\//, '')
  try {
    return decodeURI(short)
  } catch {
    // Anybody may ask for a path that is no text.
    return short
  }
}
