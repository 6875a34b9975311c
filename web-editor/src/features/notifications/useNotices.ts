import { useDocumentVisibility, useIntervalFn, useStorage } from '@vueuse/core'
import { computed, onScopeDispose, ref, watch } from 'vue'
import { api, unwrap } from '@/api/client'
import { watch as watchStream, type Watch } from '@/api/events'
import { useSession } from '@/app/session'
import type { Run, RunReport } from '../runs/api'
import { add, failureOf, unseen, wanted, type Notice, type Wishes } from './notices'

/** Runs that go on and are looked at for questions: so many, so often. */
const looked = 12
const pause = 60_000
const day = 86_400_000

/** What happened to the runs of the organisation that somebody should know of; kept at what is heard. */
export function useNotices() {
  const session = useSession()
  const wishes = useStorage<Wishes>('windflow.notices', { failure: true, question: true, seenAt: Date.now() }, undefined, { mergeDefaults: true })
  const failures = ref<Notice[]>([])
  const questions = ref<Notice[]>([])
  const all = computed(() => add(failures.value, ...questions.value))

  async function readFailures() {
    const { items } = await unwrap(api.GET('/api/v1/runs', { params: { query: { status: 'failed', since: Date.now() - day, limit: 20 } as object } }))
    failures.value = add(failures.value, ...(items as unknown as Run[]).map(failureOf))
  }
  /** Lists do not say which runs ask: those that go on are looked at, one by one. */
  async function readQuestions() {
    if (!session.may('runs:operate') || !wishes.value.question) return (questions.value = [])
    const { items } = await unwrap(api.GET('/api/v1/runs', { params: { query: { status: 'running', limit: looked } as object } }))
    const reports = await Promise.all(items.map(({ run }) => unwrap(api.GET('/api/v1/runs/{run}', { params: { path: { run } } })) as unknown as Promise<RunReport>))
    return (questions.value = reports.flatMap(questionsOf))
  }
  const read = () => Promise.all([readFailures(), readQuestions()]).catch(() => undefined)

  let soon: ReturnType<typeof setTimeout> | undefined
  const lookSoon = () => {
    clearTimeout(soon)
    // A run that just began asks a moment later.
    soon = setTimeout(() => void readQuestions().catch(() => undefined), 1500)
  }
  const hear = () =>
    watchStream('/api/v1/live', {
      // What is there is read when what comes is heard: between the two nothing is missed.
      onState: (is) => is === 'open' && void read(),
      onEvent({ event, data }) {
        if (event === 'reset') return void read()
        if (event !== 'run') return
        failures.value = add(failures.value, failureOf(JSON.parse(data) as Run))
        lookSoon()
      },
    })
  // A browser opens only a few connections to one server, whatever the number of tabs: those that nobody sees need none.
  const visibility = useDocumentVisibility()
  let stream: Watch | undefined
  watch(
    visibility,
    (is) => {
      stream?.stop()
      stream = is === 'visible' ? hear() : undefined
    },
    { immediate: true },
  )
  onScopeDispose(() => {
    stream?.stop()
    clearTimeout(soon)
  })
  useIntervalFn(() => visibility.value === 'visible' && void readQuestions().catch(() => undefined), pause)

  return {
    wishes,
    shown: computed(() => wanted(all.value, wishes.value)),
    count: computed(() => unseen(all.value, wishes.value)),
    seen: () => (wishes.value = { ...wishes.value, seenAt: Date.now() }),
    read,
  }
}

const questionsOf = ({ run, workflow, started_at, nodes }: RunReport): Notice[] =>
  Object.entries(nodes).flatMap(([node, { questions = [] }]) => questions.filter(({ of }) => of === 'person').map(({ message }) => ({ kind: 'question' as const, run, workflow, at: started_at, node, why: message ?? node })))
