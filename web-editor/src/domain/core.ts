import type { Edit, Edited, Json, PreviewScope, Previewed, Reading } from './workflow'

/** An edit that cannot be made, with the reason. */
export class EditRefused extends Error {
  override name = 'EditRefused'
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message)
  }
}

type Call = (request: unknown) => Promise<unknown>

/**
 * windflow-core: the one implementation of what a workflow's text means and of every change to it. It runs in a worker, so that a
 * document of hundreds of nodes never holds up a drag.
 */
export class Core {
  constructor(private readonly call: Call) {}

  /** Tells which node types there are, as the server lists them; `read` then checks against these. */
  async install(nodeTypes: readonly unknown[]): Promise<void> {
    await this.call({ op: 'install', node_types: nodeTypes })
  }

  async read(text: string): Promise<Reading> {
    return (await this.call({ op: 'read', text })) as Reading
  }

  /** The text after the edits: comments and order survive. Throws {@link EditRefused}. */
  async edit(text: string, edits: readonly Edit[]): Promise<Edited> {
    const answer = (await this.call({ op: 'edit', text, edits })) as Edited | { error: { code: string; message: string } }
    if ('error' in answer) throw new EditRefused(answer.error.code, answer.error.message)
    return answer
  }

  /** The nodes as text, which `paste` takes. */
  async copy(text: string, ids: readonly string[]): Promise<string> {
    const answer = (await this.call({ op: 'copy', text, ids })) as { yaml: string } | { error: { code: string; message: string } }
    if ('error' in answer) throw new EditRefused(answer.error.code, answer.error.message)
    return answer.yaml
  }

  /** What an expression would give. */
  async preview(template: Json, scope: PreviewScope): Promise<Previewed> {
    return (await this.call({ op: 'preview', template, scope })) as Previewed
  }
}

let shared: Core | undefined

/** The core of this page, started when it is first asked for. */
export function sharedCore(): Core {
  shared ??= new Core(workerCall())
  return shared
}

function workerCall(): Call {
  const worker = new Worker(new URL('./core.worker.ts', import.meta.url), { type: 'module' })
  const open = new Map<number, { done(value: unknown): void; fail(error: Error): void }>()
  let next = 0
  const failAll = (error: Error) => {
    for (const { fail } of open.values()) fail(error)
    open.clear()
  }
  worker.addEventListener('message', ({ data }: MessageEvent<{ id: number; answer?: unknown; failure?: string }>) => {
    const waiting = open.get(data.id)
    open.delete(data.id)
    if (data.failure !== undefined) waiting?.fail(new Error(data.failure))
    else waiting?.done(data.answer)
  })
  worker.addEventListener('error', (event) => failAll(new Error(event.message || 'The part that checks workflows did not start.')))
  return (request) =>
    new Promise((done, fail) => {
      const id = next++
      open.set(id, { done, fail })
      worker.postMessage({ id, request })
    })
}
