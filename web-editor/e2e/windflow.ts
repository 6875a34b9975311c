import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from './ports'

export const owner = { email: 'ada@example.org', password: 'correct horse battery' }

/** The compiled code of plugins, which all servers share: each compiles what none has compiled before. */
const compiled = join(process.env.CARGO_TARGET_DIR ?? fileURLToPath(new URL('../../target', import.meta.url)), 'tmp', 'compiled')

/** A real server on a free port, with a data folder of its own. */
export class Windflow {
  private process?: ChildProcess
  private log = ''

  private constructor(
    readonly url: string,
    private readonly port: number,
    private readonly data: string,
    private readonly withOwner: boolean,
  ) {}

  /** Without an owner the first set-up is still to be done. */
  static async start({ withOwner = true } = {}): Promise<Windflow> {
    const port = await freePort()
    const data = await mkdtemp(join(tmpdir(), 'windflow-e2e-'))
    const server = new Windflow(`http://127.0.0.1:${port}`, port, data, withOwner)
    await server.up()
    return server
  }

  /** Starts the process again with the same data and port. */
  async up(): Promise<void> {
    const binary = process.env.WINDFLOW_BIN
    if (!binary) throw new Error('Set WINDFLOW_BIN to the windflow binary that the journeys run against.')
    this.process = spawn(binary, ['--data-dir', this.data, 'serve', '--listen', `127.0.0.1:${this.port}`, '--allow-host', '127.0.0.1:*'], {
      env: { ...process.env, WINDFLOW_CACHE_DIR: compiled, ...(this.withOwner && { WINDFLOW_OWNER_EMAIL: owner.email, WINDFLOW_OWNER_PASSWORD: owner.password }) },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.process.stdout, this.process.stderr]) stream?.on('data', (part) => (this.log += part))
    for (let waited = 0; waited < 20_000; waited += 50) {
      // Of what a signal ended there is no code.
      if (this.process.exitCode !== null || this.process.signalCode !== null) throw new Error(`windflow serve ended:\n${this.log}`)
      const ready = await fetch(`${this.url}/readyz`).catch(() => undefined)
      if (ready?.ok) return
      await new Promise((done) => setTimeout(done, 50))
    }
    throw new Error(`windflow serve was not ready within 20 s:\n${this.log}`)
  }

  /** The token that the start printed, while there is no owner. */
  get setupToken(): string {
    return /"token": "([^"]+)"/.exec(this.log)?.[1] ?? ''
  }

  async down(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const process = this.process
    // What a signal ended has no exit code.
    if (!process || process.exitCode !== null || process.signalCode !== null) return
    await new Promise((done) => {
      process.once('exit', done)
      process.kill(signal)
    })
  }

  async stop(): Promise<void> {
    await this.down('SIGKILL')
    await rm(this.data, { recursive: true, force: true })
  }

  private token?: string

  /** Calls the API as the owner, to prepare what a journey begins with. */
  async api(method: string, path: string, body?: unknown, type = 'application/json', more: Record<string, string> = {}): Promise<Response> {
    this.token ??= ((await (
      await fetch(`${this.url}/api/v1/auth/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(owner) })
    ).json()) as { access_token: string }).access_token
    const answer = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, ...(body !== undefined && { 'content-type': type }), ...more },
      body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
    })
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
    return answer
  }

  async addWorkflow(text: string): Promise<void> {
    await this.api('POST', '/workflows', text, 'application/yaml')
  }
}
