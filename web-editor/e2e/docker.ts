import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))
const script = join(root, 'engine/windflow-testkit/docker/engine.sh')

/** `SKIP_DOCKER=1` is for machines where no engine can run. It is said aloud: what is skipped is not tested. */
export const skipDocker = Boolean(process.env.SKIP_DOCKER)
if (skipDocker) console.warn('\n  SKIP_DOCKER is set: the journeys that deploy to a real Docker engine are NOT run.\n')

/**
 * A real Docker engine of its own, without any image: it fetches all of them by their names from a registry beside it. `stand-in:1` and `stand-in:2`, which
 * serve their version, are there.
 */
export class Engine {
  private constructor(
    readonly address: string,
    private readonly folder: string,
  ) {}

  static async start(): Promise<Engine> {
    const folder = await mkdtemp(join(tmpdir(), 'windflow-engine-'))
    try {
      const { stdout } = await run(script, ['start', folder, String(process.pid)], { timeout: 240_000, env: { ...process.env, WINDFLOW_ENGINE_EMPTY: '1' } })
      return new Engine(stdout.trim().split('\n').at(-1) ?? '', folder)
    } catch (error) {
      throw new Error(`No Docker engine could be started here:\n${(error as { stderr?: string }).stderr ?? String(error)}`, { cause: error })
    }
  }

  /** Runs a `docker` command against it; what it prints. */
  async docker(...words: string[]): Promise<string> {
    return (await run('/usr/bin/docker', ['-H', this.address, ...words], { timeout: 30_000 })).stdout.trim()
  }

  /** Brings a stand-in for each image to the registry, from where the engine fetches it by its name. */
  async standIns(images: readonly string[]): Promise<void> {
    await run(script, ['stand-ins', this.folder, ...images], { timeout: 120_000 })
  }

  /** An image whose program ends at once, named after another. */
  async broken(image: string): Promise<string> {
    const name = `${image.split(':')[0]}:broken`
    await this.standIns([name])
    return name
  }

  /** The names of all images that it has: each was fetched. */
  async images(): Promise<string[]> {
    const images = await this.docker('images', '--format', '{{.Repository}}:{{.Tag}}')
    return images.split('\n').filter(Boolean).sort()
  }

  async stop(): Promise<void> {
    await run(script, ['stop', this.folder], { timeout: 60_000 }).catch(() => undefined)
    await rm(this.folder, { recursive: true, force: true }).catch(() => undefined)
  }
}
