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

  /** Asks; what is refused is thrown. */
  private async ask<T>(request: unknown): Promise<T> {
    const answer = (await this.call(request)) as T | { error: { code?: string; message: string } }
    if (typeof answer === 'object' && answer !== null && 'error' in answer) throw new EditRefused(answer.error.code ?? 'refused', answer.error.message)
    return answer as T
  }

  /** Tells which node types there are, as the server lists them; `read` then checks against these. */
  async install(nodeTypes: readonly unknown[]): Promise<void> {
    await this.ask({ op: 'install', node_types: nodeTypes })
  }

  /** Tells the texts of other workflows by their names; `read` holds what a text runs against these. */
  async workflows(texts: Readonly<Record<string, string>>): Promise<void> {
    await this.ask({ op: 'workflows', workflows: texts })
  }

  read(text: string): Promise<Reading> {
    return this.ask({ op: 'read', text })
  }

  /** The text after the edits: comments and order survive. Throws {@link EditRefused}. */
  edit(text: string, edits: readonly Edit[]): Promise<Edited> {
    return this.ask({ op: 'edit', text, edits })
  }

  /** The nodes and notes as text, which `paste` takes. */
  async copy(text: string, ids: readonly string[], notes: readonly string[] = []): Promise<string> {
    return (await this.ask<{ yaml: string }>({ op: 'copy', text, ids, notes })).yaml
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
  const open = new Map<number, { done(value: string): void; fail(error: Error): void }>()
  let next = 0
  const failAll = (error: Error) => {
    for (const { fail } of open.values()) fail(error)
    open.clear()
  }
  worker.addEventListener('message', ({ data }: MessageEvent<{ id: number; answer?: string; failure?: string }>) => {
    const waiting = open.get(data.id)
    open.delete(data.id)
    if (data.failure !== undefined) waiting?.fail(new Error(data.failure))
    else waiting?.done(data.answer ?? 'null')
  })
  worker.addEventListener('error', (event) => failAll(new Error(event.message || 'The part that checks workflows did not start.')))
  // As text: what is reactive on this side cannot be handed over as it is.
  return (request) =>
    new Promise<string>((done, fail) => {
      const id = next++
      open.set(id, { done, fail })
      worker.postMessage({ id, request: JSON.stringify(request) })
    }).then((answer) => JSON.parse(answer) as unknown)
}
