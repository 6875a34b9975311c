import { useDocumentVisibility, useEventListener, useIntervalFn } from '@vueuse/core'
import { onScopeDispose, ref, watch, type Ref } from 'vue'
import { api, unwrap } from '@/api/client'
import { useSession } from '@/app/session'

export interface Present {
  /** Their id: two may have the same name. */
  person: string
  name: string
  editing: boolean
  since: number
  /** Another window of one's own. */
  self: boolean
}

/** However many windows somebody has, they are one, who changes something where any of the windows does; oneself comes last. */
export function together(all: readonly Present[]): Present[] {
  const people = new Map<string, Present>()
  for (const one of all) {
    const known = people.get(one.person)
    people.set(one.person, known ? { ...known, editing: known.editing || one.editing, since: Math.min(known.since, one.since) } : one)
  }
  return [...people.values()].sort((a, b) => Number(a.self) - Number(b.self))
}

/** Well within the time after which the server takes somebody for gone. */
const pause = 10_000

/** Says that this window looks at a workflow, and hears who else does. A window that nobody sees says nothing. */
export function usePresence(name: () => string, editing: () => boolean, kept: () => boolean): Ref<Present[]> {
  const others = ref<Present[]>([])
  const session = useSession()
  const window = crypto.randomUUID()
  const visibility = useDocumentVisibility()
  const path = () => ({ path: { name: name() } })

  async function here(): Promise<void> {
    if (!kept() || !session.me || visibility.value === 'hidden') return
    try {
      const { others: all } = await unwrap(api.POST('/api/v1/workflows/{name}/presence', { params: path(), body: { window, editing: editing() } }))
      others.value = together(all.map(({ own, ...one }) => ({ ...one, self: own })))
    } catch {
      // Who else is there is not known while the server is not: nothing to trouble anybody with.
      others.value = []
    }
  }
  function leave(): void {
    if (!kept() || !session.me) return
    void api.POST('/api/v1/workflows/{name}/presence', { params: path(), body: { window, leaving: true }, keepalive: true }).catch(() => undefined)
  }

  useIntervalFn(() => void here(), pause, { immediateCallback: true })
  watch([editing, kept], () => void here())
  watch(visibility, (now) => (now === 'hidden' ? leave() : void here()))
  useEventListener(globalThis, 'pagehide', leave)
  onScopeDispose(leave)
  return others
}
