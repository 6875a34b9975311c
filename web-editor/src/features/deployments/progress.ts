/** What a deployment says while it is under way: lines of its run's log, which `windflow-targets` writes. */
export interface Said {
  at: number
  text: string
}

export interface Progress {
  lines: Said[]
  /** The last that was said of each container: `web#1`. */
  containers: Map<string, { service: string; number: number; doing: string; detail: string }>
  undoing: boolean
}

export const noProgress = (): Progress => ({ lines: [], containers: new Map(), undoing: false })
const most = 500

/** Takes a line in, in place. */
export function hear(progress: Progress, text: string, at: number): void {
  progress.lines.push({ at, text })
  if (progress.lines.length > most) progress.lines.shift()
  if (text.endsWith('; what ran before is brought back')) progress.undoing = true
  const found = /^([A-Za-z0-9._-]+)#(\d+) (\w+)(?:: (.*))?$/s.exec(text)
  if (!found) return
  const [, service = '', number = '1', doing = '', detail = ''] = found
  progress.containers.set(`${service}#${number}`, { service, number: Number(number), doing, detail })
}

const looks: Record<string, string> = { healthy: 'healthy', running: 'running', completed: 'completed', failed: 'failed', removed: 'removed', restored: 'rolled_back', waiting: 'waiting' }

/** The word of `StatusTag` for what is being done with a container. */
export const statusOf = (doing: string): string => looks[doing] ?? 'starting'
