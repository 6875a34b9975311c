import { computed, onScopeDispose, reactive, ref, shallowRef, toRaw } from 'vue'
import { api, unwrap } from '@/api/client'
import { watch as watchStream, type Watch } from '@/api/events'
import type { ApiProblem } from '@/api/problem'
import { hasEnded, noRun, takeIn, type RunLive } from '@/domain/run-live'
import type { JsonObject } from '@/domain/workflow'
import type { Pin } from './pins'

/** One key a start. `randomUUID` is there on secure addresses only. */
const uniqueKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')

/** The run that an editor shows: followed live, from its first event, through whatever happens to the connection. */
export function useRun() {
  const id = ref<string>()
  const live = shallowRef<RunLive>()
  const shown = ref(false)
  const link = ref<'open' | 'waiting'>('open')
  const problem = ref<ApiProblem>()
  const now = ref(Date.now())
  let stream: Watch | undefined
  const clock = setInterval(() => live.value && !hasEnded(live.value.status) && (now.value = Date.now()), 200)

  function stop() {
    stream?.stop()
    stream = undefined
  }
  onScopeDispose(() => {
    stop()
    clearInterval(clock)
  })

  /** Follows a run; one that has ended is told again from its journal. What is known of other nodes may stay beside it. */
  function follow(run: string, show = true, beside: RunLive['nodes'] = {}) {
    stop()
    id.value = run
    // The type of a deep reactive value of any JSON has no end.
    const state = reactive({ ...noRun(), nodes: beside } as object) as RunLive
    live.value = state
    shown.value = show
    problem.value = undefined
    stream = watchStream(`/api/v1/runs/${run}/live`, {
      onEvent: ({ event, data }) => takeIn(state, event, JSON.parse(data)),
      onState: (is) => (link.value = is),
      onProblem: (told) => (problem.value = told),
    })
  }

  async function start(name: string, inputs: JsonObject, pins: Record<string, Pin> = {}): Promise<void> {
    const { run } = await unwrap(
      api.POST('/api/v1/workflows/{name}/runs', {
        params: { path: { name }, header: { 'Idempotency-Key': uniqueKey() } },
        body: { inputs: inputs as Record<string, never>, ...(Object.keys(pins).length && { pins }) },
      }),
    )
    follow(run)
  }

  /** Runs one node alone; the others keep what the run before showed of them. */
  async function tryNode(name: string, node: string, body: { inputs: JsonObject; outputs: JsonObject; document: string }): Promise<void> {
    const { run } = await unwrap(api.POST('/api/v1/workflows/{name}/nodes/{node}/runs', { params: { path: { name, node } }, body: { ...body, inputs: body.inputs as Record<string, never> } }))
    follow(run, true, Object.fromEntries(Object.entries(toRaw(live.value)?.nodes ?? {}).filter(([id]) => id !== node)))
  }

  /** Repeats the run; what nobody names and succeeded is taken over. */
  async function repeat(from?: string[]): Promise<void> {
    if (!id.value) return
    const answer = await unwrap(api.POST('/api/v1/runs/{run}/rerun', { params: { path: { run: id.value } }, body: { latest: true, ...(from && { from }) } }))
    if ('run' in answer) follow(String(answer.run))
  }

  async function cancel(): Promise<void> {
    if (id.value) await unwrap(api.POST('/api/v1/runs/{run}/cancel', { params: { path: { run: id.value } } }))
  }

  async function answer(node: string, approved: boolean, comment: string): Promise<void> {
    if (id.value) await unwrap(api.POST('/api/v1/runs/{run}/answers', { params: { path: { run: id.value } }, body: { node, approved, ...(comment && { comment }) } }))
  }

  /** The last run of the workflow, for its data; nothing is shown of it until somebody asks. */
  async function latest(name: string): Promise<void> {
    const { items } = await unwrap(api.GET('/api/v1/runs', { params: { query: { workflow: name, limit: 1 } } }))
    if (items[0] && !id.value) follow(items[0].run, false)
  }

  const ended = computed(() => live.value !== undefined && hasEnded(live.value.status))
  const took = computed(() => {
    const { startedAt, finishedAt } = live.value ?? {}
    return startedAt === undefined ? undefined : Math.max(0, (finishedAt ?? now.value) - startedAt)
  })
  const question = computed(() => {
    const asking = Object.entries(live.value?.nodes ?? {}).find(([, node]) => node.question?.of === 'person')
    return asking && { node: asking[0], ...asking[1].question }
  })
  const failedNode = computed(() => live.value?.failure?.node)

  return { id, live, shown, link, problem, ended, took, question, failedNode, follow, start, tryNode, repeat, cancel, answer, latest, stop }
}

export type EditorRun = ReturnType<typeof useRun>
