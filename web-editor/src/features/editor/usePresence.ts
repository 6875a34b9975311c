import { useDocumentVisibility, useEventListener, useIntervalFn } from '@vueuse/core'
import { onScopeDispose, ref, watch, type Ref } from 'vue'
import { api, unwrap } from '@/api/client'
import { useSession } from '@/app/session'

export interface Present {
  name: string
  editing: boolean
  since: number
  /** Another window of one's own. */
  self: boolean
}

/** However many windows somebody has themselves, they are one. */
export function together(all: readonly Present[]): Present[] {
  const [own, others] = [all.filter(({ self }) => self), all.filter(({ self }) => !self)]
  const [first] = own
  return first ? [...others, { ...first, editing: own.some(({ editing }) => editing), since: Math.min(...own.map(({ since }) => since)) }] : others
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
      // The server tells people by the name that they are shown under: one's own name is one's own window.
      const mine = session.me.user.name || session.me.user.email
      others.value = together(all.map((one) => ({ ...one, self: one.name === mine })))
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
