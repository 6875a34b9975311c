import { useQueries, useQuery } from '@tanstack/vue-query'
import { computed, toValue, type MaybeRefOrGetter } from 'vue'
import { api, unwrap, type Schemas } from '@/api/client'

export type Trigger = Schemas['TriggerView']
export interface OwnedTrigger extends Trigger {
  workflow: string
  enabled: boolean
}

const query = (name: string) => ({
  queryKey: ['triggers', name],
  queryFn: () => unwrap(api.GET('/api/v1/workflows/{name}/triggers', { params: { path: { name } } })),
  refetchInterval: 30_000,
})
export const useTriggersOf = (name: MaybeRefOrGetter<string>) => useQuery(computed(() => query(toValue(name))))

/** The server tells triggers by workflow; so many workflows are asked. */
const mostWorkflows = 100

/** The triggers of several workflows, those that fire next first. */
export function useTriggers(workflows: MaybeRefOrGetter<readonly { name: string; enabled: boolean }[]>) {
  const asked = computed(() => toValue(workflows).slice(0, mostWorkflows))
  const answers = useQueries({ queries: computed(() => asked.value.map(({ name }) => query(name))) })
  const triggers = computed<OwnedTrigger[]>(() =>
    byNext(asked.value.flatMap(({ name, enabled }, at) => (answers.value[at]?.data ?? []).map((trigger) => ({ ...trigger, workflow: name, enabled })))),
  )
  return {
    triggers,
    isPending: computed(() => answers.value.some(({ isPending }) => isPending)),
    error: computed(() => answers.value.find(({ error }) => error)?.error ?? undefined),
    refetch: () => answers.value.forEach((one) => void one.refetch()),
  }
}

export const byNext = (triggers: readonly OwnedTrigger[]): OwnedTrigger[] =>
  [...triggers].sort(
    (a, b) =>
      Number(b.enabled) - Number(a.enabled) ||
      (a.next?.[0] ?? Infinity) - (b.next?.[0] ?? Infinity) ||
      a.workflow.localeCompare(b.workflow) ||
      a.name.localeCompare(b.name),
  )

/** The address of a webhook, where other systems knock. */
export const hookAddress = (origin: string, path: string): string => `${origin}/${path.replace(/^\//, '')}`

/** A command that knocks, to try it by hand. What shows who somebody is stands as a word to fill in. */
export function knock(address: string, trigger: Pick<Trigger, 'method' | 'auth'>): string {
  const method = trigger.method ?? 'POST'
  const auth = trigger.auth ?? 'none'
  const shows = auth.startsWith('bearer') ? " -H 'authorization: Bearer SECRET'" : auth.startsWith('basic') ? ' -u USER:PASSWORD' : auth.startsWith('hmac') ? " -H 'x-hub-signature-256: sha256=SIGNATURE'" : ''
  const body = method === 'GET' || method === 'HEAD' ? '' : " -H 'content-type: application/json' -d '{}'"
  return `curl -X ${method} '${address}'${shows}${body}`
}
