import { useQuery } from '@tanstack/vue-query'
import { api, everyPage, unwrap, type Schemas } from '@/api/client'
import { workflowsKey } from '@/features/workflows/api'

export type Trigger = Schemas['TriggerView']
export type OwnedTrigger = Schemas['ListedTrigger']

// Within the workflows: what is read anew with these is, too.
export const triggersKey = [...workflowsKey, 'triggers'] as const
const refetchInterval = 30_000

/** Which triggers: all of them where nothing is said. */
export interface WantedTriggers {
  uses?: 'webhook' | 'cron' | 'event'
  enabled?: boolean
}

/** The triggers of all workflows, those that fire next first. */
export const useTriggers = (wanted: WantedTriggers = {}) =>
  useQuery({
    queryKey: [...triggersKey, 'all', wanted],
    queryFn: async () => byNext(await everyPage((cursor) => unwrap(api.GET('/api/v1/triggers', { params: { query: { ...wanted, limit: 500, cursor } } })))),
    refetchInterval,
  })

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
